import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import { type Card, type Id, MethodError, RequestError } from "../jmap/index.ts";
import { type ContactsPlace, go } from "../route/index.ts";
import { inOrder, titleOf } from "./card.ts";
import { useHere } from "./context.ts";
import { Face } from "./Face.tsx";
import style from "./Members.module.css";

export interface Known {
  readonly cards: readonly Card[];
  /** Members that no card is found of. */
  readonly missing: number;
}

const NOBODY: Known = { cards: [], missing: 0 };

/** The cards of a group's members. */
export function useMembers(account: Id, group: Card): Known {
  const { shelf } = useHere();
  const [known, setKnown] = useState<Known>(NOBODY);
  const uids = Object.keys(group.members ?? {});
  const key = uids.join("\n");
  const { version } = shelf;
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked up anew where members or cards changed
  useEffect(() => {
    if (!uids.length) {
      setKnown(NOBODY);
      return;
    }
    let left = false;
    shelf.byUid(account, uids).then(
      (found) => {
        if (left) return;
        const cards = uids.flatMap((uid) => found.get(uid) ?? []);
        cards.sort((a, b) => titleOf(a).localeCompare(titleOf(b)));
        setKnown({ cards, missing: uids.length - cards.length });
      },
      (error: unknown) => {
        // What was known before stays; the server is asked again with the next news.
        if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
      },
    );
    return () => {
      left = true;
    };
  }, [shelf, account, key, version]);
  return known;
}

export interface MembersProps {
  members: Known;
  place: ContactsPlace;
  account: Id;
}

/** Who is in a group. */
export function Members({ members: { cards, missing }, place, account }: MembersProps) {
  const { t } = useLingui();
  const { shelf } = useHere();
  if (!cards.length && !missing) {
    return (
      <p className={style.none}>
        <Trans>Nobody is in this group yet. Edit it to add people.</Trans>
      </p>
    );
  }
  function open(card: Card): void {
    const [book] = Object.keys(card.addressBookIds);
    const here = card.addressBookIds[place.book];
    const other = shelf.books.find(({ id }) => id === book)?.isDirectory ? book : undefined;
    go({ at: "contacts", book: here ? place.book : (other ?? "all"), card: card.id });
  }
  return (
    <section aria-label={t`Members`} className={style.members}>
      <h2 className={style.title}>
        {plural(cards.length, { one: "# member", other: "# members" })}
      </h2>
      <ul className={style.list}>
        {cards.map((card) => (
          <li key={card.uid}>
            <button type="button" className={style.member} onClick={() => open(card)}>
              <Face card={card} account={account} />
              <span className={style.words}>
                <span className={style.name}>{titleOf(card) || t`Without a name`}</span>
                <span className={style.email}>{inOrder(card.emails)[0]?.address}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {missing ? (
        <p className={style.none}>
          {plural(missing, {
            one: "# member has no card here.",
            other: "# members have no card here.",
          })}
        </p>
      ) : null}
    </section>
  );
}
