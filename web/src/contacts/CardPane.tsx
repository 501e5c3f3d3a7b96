import { Trans, useLingui } from "@lingui/react/macro";
import { ArrowLeft, Download, Mail, Pencil, Trash2, UserRoundX } from "lucide-react";
import { useEffect, useState } from "react";
import { type Address, type Card, type Id, MethodError, RequestError } from "../jmap/index.ts";
import { useKeys } from "../keys/index.ts";
import { usePrefs } from "../prefs/index.ts";
import { type ContactsPlace, go } from "../route/index.ts";
import { Button, EmptyState, IconButton, Skeleton, toasts } from "../ui/index.ts";
import style from "./CardPane.module.css";
import { addressOf, isGroup, titleOf, workOf } from "./card.ts";
import { useHere } from "./context.ts";
import { Details } from "./Details.tsx";
import { Face } from "./Face.tsx";
import { Members, useMembers } from "./Members.tsx";

/** In which a card that was deleted can be had back. */
const UNDO = 15_000;

export interface CardPaneProps {
  id: Id;
  place: ContactsPlace;
  /** Leads to the list, where that is not beside. */
  back: (() => void) | undefined;
}

/** A card, and what can be done with it. */
export function CardPane({ id, place, back }: CardPaneProps) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const account = shelf.accountOf(place.book);
  const [state, setState] = useState<"waits" | "whole" | "gone" | "away">("waits");
  const { version } = shelf;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again whenever something changed
  useEffect(() => {
    if (shelf.state !== "ready") return;
    let left = false;
    shelf.card(account, id).then(
      (card) => left || setState(card ? "whole" : "gone"),
      (error: unknown) => {
        if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
        // A book that is not shared any more is no place to look into.
        const why = error instanceof MethodError ? "gone" : "away";
        if (!left) setState((now) => (now === "waits" || why === "gone" ? why : now));
      },
    );
    return () => {
      left = true;
    };
  }, [shelf, account, id, version]);
  const card = shelf.cards.get(id);
  if (state === "gone" || state === "away") {
    return (
      <section className={style.pane} aria-label={t`Contact`}>
        {back ? <Back back={back} /> : null}
        <EmptyState
          icon={UserRoundX}
          title={state === "gone" ? t`This contact is not here` : t`This cannot be shown now`}
        >
          {state === "gone" ? (
            <Trans>It was deleted, or is not shared any more.</Trans>
          ) : (
            <Trans>The server does not answer at the moment. Nothing is lost.</Trans>
          )}
        </EmptyState>
      </section>
    );
  }
  if (!card) {
    return (
      <section className={style.pane} aria-label={t`Contact`} aria-busy>
        {back ? <Back back={back} /> : null}
        <div className={style.waiting}>
          <Skeleton width="half" />
          <Skeleton width="long" />
        </div>
      </section>
    );
  }
  return <Shown card={card} account={account} place={place} back={back} />;
}

function Back({ back }: { back: () => void }) {
  const { t } = useLingui();
  return (
    <div className={style.bar}>
      <IconButton icon={ArrowLeft} label={t`Back to the list`} onPress={back} />
    </div>
  );
}

interface ShownProps {
  card: Card;
  account: Id;
  place: ContactsPlace;
  back: (() => void) | undefined;
}

function Shown({ card, account, place, back }: ShownProps) {
  const { t } = useLingui();
  const { shelf, write, edit } = useHere();
  const group = isGroup(card);
  const members = useMembers(account, card);
  const name = titleOf(card) || t`Without a name`;
  const books = shelf.books.filter(({ id }) => card.addressBookIds[id]);
  const mayWrite = books.length > 0 && books.every(({ myRights }) => myRights.mayWrite);
  const own = addressOf(card);
  // A list of the server is written to by its one address; a group that somebody made, by those of its members.
  const to: Address[] = own ? [own] : members.cards.flatMap((one) => addressOf(one) ?? []);

  function remove(): void {
    const undo = shelf.destroy(account, card.id, UNDO);
    go({ ...place, card: undefined }, "replace");
    toasts.show(t`${name} was deleted`, {
      words: t`Undo`,
      run: () => {
        if (!undo()) toasts.show(t`It is too late: ${name} is gone.`);
      },
    });
  }

  const { shortcuts } = usePrefs();
  useKeys(mayWrite ? { trash: remove } : {}, shortcuts);

  const [first] = books;
  // Alone on the screen it is what the screen is about.
  const Title = back ? "h1" : "h2";
  return (
    <section className={style.pane} aria-label={t`Contact ${name}`}>
      <div className={style.bar}>
        {back ? <IconButton icon={ArrowLeft} label={t`Back to the list`} onPress={back} /> : null}
        <span className={style.tools}>
          {mayWrite && first ? (
            <>
              <IconButton
                icon={Pencil}
                label={t`Edit`}
                onPress={() =>
                  edit({ account, book: first.id, group, card, members: members.cards })
                }
              />
              <IconButton icon={Trash2} label={t`Delete`} onPress={remove} />
            </>
          ) : null}
          {shelf.exchanges && account === shelf.client.account ? (
            <IconButton
              icon={Download}
              label={t`Save as vCard`}
              onPress={() => location.assign(`/jmap/export/${account}/${card.id}?form=vcard`)}
            />
          ) : null}
        </span>
      </div>
      <div className={style.body}>
        <header className={style.head}>
          <Face card={card} account={account} large />
          <div className={style.names}>
            <Title className={style.name}>{name}</Title>
            <p className={style.work}>{group ? t`Group` : workOf(card)}</p>
            {to.length ? (
              <Button kind="primary" icon={Mail} onPress={() => write(to)}>
                {group ? t`Write to the group` : t`Write a message`}
              </Button>
            ) : null}
          </div>
        </header>
        {group ? <Members members={members} place={place} account={account} /> : null}
        <Details card={card} books={books} />
      </div>
    </section>
  );
}
