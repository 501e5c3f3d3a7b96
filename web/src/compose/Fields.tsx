import { Trans, useLingui } from "@lingui/react/macro";
import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import type { Address, Identity } from "../jmap/index.ts";
import { Menu, MenuChoice, MenuItem } from "../ui/index.ts";
import { unique, without } from "./addresses.ts";
import { signatureOf, signatureText } from "./begin.ts";
import type { Composing } from "./composing.ts";
import type { Desk } from "./desk.ts";
import style from "./Fields.module.css";
import { type FieldName, RecipientField } from "./RecipientField.tsx";
import { signed, signedText } from "./signature.ts";

export interface FieldsProps {
  desk: Desk;
  one: Composing;
  identities: readonly Identity[];
  /** Fields that are shown though nobody is in them. */
  shown: ReadonlySet<FieldName>;
  show: (name: FieldName) => void;
  /** The subject too: an answer keeps that of its conversation. */
  subject: boolean;
}

/** From whom, to whom, about what. */
export function Fields({ desk, one, identities, shown, show, subject }: FieldsProps) {
  const { t } = useLingui();
  const { draft } = one;
  const [labels] = useState<Record<FieldName, string>>({ to: t`To`, cc: t`Cc`, bcc: t`Bcc` });
  const names = (["to", "cc", "bcc"] as const).filter(
    (name) => name === "to" || shown.has(name) || draft[name].length,
  );
  const hidden = (["cc", "bcc"] as const).filter((name) => !names.includes(name));
  const taken = new Set(
    [...draft.to, ...draft.cc, ...draft.bcc].map(({ email }) => email.toLowerCase()),
  );

  function move(person: Address, from: FieldName, to: FieldName): void {
    show(to);
    const { draft: now } = one;
    one.change({ [from]: without(now[from], [person]), [to]: unique([...now[to], person]) });
  }

  return (
    <div className={style.fields}>
      {identities.length > 1 ? <From one={one} identities={identities} /> : null}
      {names.map((name) => (
        <RecipientField
          key={name}
          name={name}
          label={labels[name]}
          people={draft[name]}
          taken={taken}
          completion={desk.completion}
          others={(["to", "cc", "bcc"] as const)
            .filter((other) => other !== name)
            .map((other) => ({ name: other, label: labels[other] }))}
          change={(people) => one.change({ [name]: people })}
          move={move}
        >
          {name === "to" && hidden.length ? (
            <span className={style.more}>
              {hidden.map((other) => (
                <button
                  key={other}
                  type="button"
                  className={style.show}
                  title={other === "cc" ? t`Add copies` : t`Add blind copies`}
                  onClick={() => show(other)}
                >
                  {labels[other]}
                </button>
              ))}
            </span>
          ) : null}
        </RecipientField>
      ))}
      {subject ? (
        <label className={style.subject}>
          <span className={style.label}>
            <Trans>Subject</Trans>
          </span>
          <input
            className={style.input}
            data-field="subject"
            value={draft.subject}
            maxLength={2_000}
            autoComplete="off"
            enterKeyHint="next"
            onChange={(event) =>
              one.change({ subject: event.target.value.replace(/[\r\n]/g, " ") })
            }
          />
        </label>
      ) : null}
    </div>
  );
}

function From({ one, identities }: { one: Composing; identities: readonly Identity[] }) {
  const { t } = useLingui();
  const current = identities.find(({ id }) => id === one.draft.identityId) ?? identities[0];
  const shown = ({ name, email }: Identity) => (name ? `${name} <${email}>` : email);

  function choose(id: string): void {
    const identity = identities.find((other) => other.id === id);
    if (!identity || identity === current) return;
    const { draft } = one;
    // Where one took the signature away, or there was none to take, that is known by what the last one had.
    const add = !signatureOf(current).length;
    one.change({
      identityId: id,
      doc: signed(draft.doc, signatureOf(identity), add),
      text: signedText(draft.text, signatureText(identity), add),
    });
    one.refill();
  }

  return (
    <div className={style.from}>
      <span className={style.label}>
        <Trans>From</Trans>
      </span>
      <Menu
        label={t`From`}
        trigger={
          <AriaButton
            className={style.identity ?? ""}
            aria-label={t`From ${current ? shown(current) : ""}`}
          >
            <span className={style.name}>{current ? shown(current) : ""}</span>
            <ChevronDown size={15} aria-hidden />
          </AriaButton>
        }
      >
        <MenuChoice title={t`Write as`} chosen={current?.id ?? ""} choose={choose}>
          {identities.map((identity) => (
            <MenuItem key={identity.id} id={identity.id}>
              {shown(identity)}
            </MenuItem>
          ))}
        </MenuChoice>
      </Menu>
    </div>
  );
}
