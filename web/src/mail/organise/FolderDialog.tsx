import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { pathName, tree, withBelow } from "../../folders/index.ts";
import type { Id, Mailbox } from "../../jmap/index.ts";
import { Button, Dialog, Notice, Select, TextField } from "../../ui/index.ts";
import { useMailboxes } from "../hooks.ts";
import { useMail } from "../session.ts";
import { changeFolder, createFolder } from "./folders.ts";
import style from "./Organise.module.css";
import { useAttempt } from "./useAttempt.ts";

export interface FolderDialogProps {
  /** The one that is changed; none: a new one. */
  mailbox?: Mailbox | undefined;
  parent?: Id | null;
  close: (made?: Id) => void;
}

/** The name of a folder, and where it is. */
export function FolderDialog({ mailbox, parent, close }: FolderDialogProps) {
  const { t, i18n } = useLingui();
  const mail = useMail();
  const all = useMailboxes();
  const [trouble, run] = useAttempt();
  const [name, setName] = useState(mailbox?.name ?? "");
  const [within, setWithin] = useState(mailbox?.parentId ?? parent ?? "");
  const own = mailbox ? withBelow(mailbox.id, all) : new Set();
  const places = tree(all)
    .map(([one]) => one)
    .filter((one) => !own.has(one.id) && (!one.role || one.id === within));

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    const wanted = name.trim();
    if (!wanted) return;
    const parentId = within || null;
    let made: Id | undefined;
    const worked = await run(async () => {
      if (mailbox) await changeFolder(mail, mailbox.id, { name: wanted, parentId });
      else made = await createFolder(mail, wanted, parentId);
    });
    if (worked) close(made);
  }

  return (
    <Dialog
      open
      close={() => close()}
      title={mailbox ? t`Rename or move the folder` : t`New folder`}
      closeLabel={t`Close`}
    >
      <form className={style.form} onSubmit={(event) => void save(event)}>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <TextField
          label={t`Name`}
          value={name}
          onChange={setName}
          maxLength={200}
          isRequired
          autoFocus
        />
        <Select
          label={t`Within`}
          chosen={within}
          choose={setWithin}
          options={[
            { id: "", name: t`No other folder` },
            ...places.map((one) => ({ id: one.id as string, name: pathName(one, all, i18n) })),
          ]}
        />
        <div className={style.answers}>
          <Button type="submit" kind="primary">
            <Trans>Save</Trans>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
