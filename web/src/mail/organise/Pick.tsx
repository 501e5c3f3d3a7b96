import { useLingui } from "@lingui/react/macro";
import { Check, FolderPlus, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Autocomplete, Input, Menu, MenuItem, TextField, useFilter } from "react-aria-components";
import { mailboxIcon, mailboxName, pathName, tree } from "../../folders/index.ts";
import type { Id, Mailbox, MailLabel } from "../../jmap/index.ts";
import { Dialog, LabelSign } from "../../ui/index.ts";
import { useMailboxes } from "../hooks.ts";
import { useMail } from "../session.ts";
import { createFolder } from "./folders.ts";
import { useLabels } from "./labels.ts";
import style from "./Organise.module.css";
import { useAttempt } from "./useAttempt.ts";

interface Offer {
  readonly id: string;
  readonly words: string;
  readonly sign: ReactNode;
  readonly on?: boolean;
}

/** One of many, found by typing some of its letters; what is not there yet is made. */
function Pick({
  title,
  hint,
  offers,
  pick,
  make,
  makeWords,
  makeSign,
  close,
}: {
  title: string;
  hint: string;
  offers: readonly Offer[];
  pick: (id: string) => void;
  make: (name: string) => void;
  makeWords: (name: string) => string;
  makeSign: ReactNode;
  close: () => void;
}) {
  const { t } = useLingui();
  const { contains } = useFilter({ sensitivity: "base" });
  const [typed, setTyped] = useState("");
  const wanted = typed.trim();
  const known = offers.some(({ words }) => words.toLowerCase() === wanted.toLowerCase());
  const shown = offers.filter(({ words }) => contains(words, wanted));
  return (
    <Dialog open close={close} title={title} closeLabel={t`Close`}>
      <div className={style.pick}>
        <Autocomplete inputValue={typed} onInputChange={setTyped}>
          <TextField aria-label={hint} autoFocus className={style.find ?? ""}>
            <Input className={style.input ?? ""} placeholder={hint} />
          </TextField>
          <Menu
            aria-label={title}
            className={style.offers ?? ""}
            onAction={(id) => (id === "make" ? make(wanted) : pick(String(id)))}
          >
            {shown.map(({ id, words, sign, on }) => (
              <MenuItem key={id} id={id} textValue={words} className={style.offer ?? ""}>
                {sign}
                <span className={style.words}>{words}</span>
                {on ? <Check size={16} aria-label={t`is on`} /> : null}
              </MenuItem>
            ))}
            {wanted && !known ? (
              <MenuItem
                key="make"
                id="make"
                textValue={makeWords(wanted)}
                className={style.offer ?? ""}
              >
                {makeSign}
                <span className={style.words}>{makeWords(wanted)}</span>
              </MenuItem>
            ) : null}
          </Menu>
        </Autocomplete>
      </div>
    </Dialog>
  );
}

/** Where messages are moved to. */
export function PickFolder({
  from,
  pick,
  close,
}: {
  /** Where they are: not among what is offered. */
  from: Id | undefined;
  pick: (mailbox: Mailbox) => void;
  close: () => void;
}) {
  const { t, i18n } = useLingui();
  const mail = useMail();
  const all = useMailboxes();
  const [, run] = useAttempt();
  const offers = tree(all)
    .filter(([one]) => one.id !== from && one.role !== "drafts" && one.role !== "sent")
    .map(([one]) => {
      const Icon = mailboxIcon(one);
      const words = one.role ? mailboxName(one, i18n) : pathName(one, all, i18n);
      return { id: one.id, words, sign: <Icon size={17} aria-hidden /> };
    });

  function chosen(id: Id): void {
    const found = mail.store.mailboxes.get(id);
    close();
    if (found) pick(found);
  }

  return (
    <Pick
      title={t`Move to`}
      hint={t`Name of a folder`}
      offers={offers}
      pick={chosen}
      make={(name) =>
        void run(async () => {
          chosen(await createFolder(mail, name, null));
        })
      }
      makeWords={(name) => t`New folder “${name}”`}
      makeSign={<FolderPlus size={17} aria-hidden />}
      close={close}
    />
  );
}

/** Labels put on messages and taken off. */
export function PickLabels({
  has,
  turn,
  close,
}: {
  /** Whether all of the messages have it. */
  has: (label: MailLabel) => boolean;
  turn: (label: MailLabel, on: boolean) => void;
  close: () => void;
}) {
  const { t } = useLingui();
  const labels = useLabels();
  const [, run] = useAttempt();

  function chosen(id: Id): void {
    const label = labels.all.find((one) => one.id === id);
    close();
    if (label) turn(label, !has(label));
  }

  return (
    <Pick
      title={t`Labels`}
      hint={t`Name of a label`}
      offers={labels.all.map((one) => ({
        id: one.id,
        words: one.name,
        sign: <LabelSign colour={one.colour} size={17} />,
        on: has(one),
      }))}
      pick={chosen}
      make={(name) =>
        void run(async () => {
          chosen(await labels.create(name, "blue"));
        })
      }
      makeWords={(name) => t`New label “${name}”`}
      makeSign={<Plus size={17} aria-hidden />}
      close={close}
    />
  );
}
