import { useLingui } from "@lingui/react/macro";
import { X } from "lucide-react";
import { useEffect, useState } from "react";
import { type Card, type Id, MethodError, RequestError } from "../jmap/index.ts";
import { IconButton, TextField } from "../ui/index.ts";
import { inOrder, titleOf } from "./card.ts";
import { useHere } from "./context.ts";
import style from "./Editor.module.css";
import { Face } from "./Face.tsx";

const OFFERED = 8;
const PAUSE = 150;

export interface MemberFieldProps {
  account: Id;
  members: readonly Card[];
  change: (members: readonly Card[]) => void;
}

/** Who is in a group: found by what is typed, in its account and in the directory. */
export function MemberField({ account, members, change }: MemberFieldProps) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const [typed, setTyped] = useState("");
  const [offers, setOffers] = useState<readonly Card[]>([]);
  const text = typed.trim();
  useEffect(() => {
    if (!text) {
      setOffers([]);
      return;
    }
    let left = false;
    const timer = setTimeout(() => {
      shelf.people(account, text, OFFERED).then(
        (found) => left || setOffers(found),
        (error: unknown) => {
          if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
        },
      );
    }, PAUSE);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [shelf, account, text]);

  const taken = new Set(members.map(({ uid }) => uid));
  const shown = offers.filter(({ uid }) => !taken.has(uid));
  function add(card: Card): void {
    change([...members, card]);
    setTyped("");
  }
  const line = (card: Card) => (
    <>
      <Face card={card} account={account} />
      <span className={style.words}>
        <span className={style.name}>{titleOf(card)}</span>
        <span className={style.email}>{inOrder(card.emails)[0]?.address}</span>
      </span>
    </>
  );
  return (
    <fieldset className={style.group}>
      <legend className={style.legend}>{t`Members`}</legend>
      {members.length ? (
        <ul className={style.members}>
          {members.map((card) => (
            <li key={card.uid} className={style.member}>
              {line(card)}
              <IconButton
                icon={X}
                label={t`Remove ${titleOf(card)}`}
                onPress={() => change(members.filter(({ uid }) => uid !== card.uid))}
              />
            </li>
          ))}
        </ul>
      ) : null}
      <TextField
        label=""
        aria-label={t`Add somebody by name or address`}
        placeholder={t`Add somebody by name or address`}
        autoComplete="off"
        value={typed}
        onChange={setTyped}
        onKeyDown={(event) => {
          // Enter takes the first that fits, and does not save yet.
          if (event.key !== "Enter" || !text) return;
          event.preventDefault();
          if (shown[0]) add(shown[0]);
        }}
        maxLength={500}
      />
      {shown.length ? (
        <ul className={style.offers} aria-label={t`Suggestions`}>
          {shown.map((card) => (
            <li key={card.uid}>
              <button type="button" className={style.offer} onClick={() => add(card)}>
                {line(card)}
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </fieldset>
  );
}
