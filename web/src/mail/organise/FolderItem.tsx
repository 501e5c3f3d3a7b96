import { useLingui } from "@lingui/react/macro";
import { Ellipsis, Eye, EyeOff, FolderPlus, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button } from "react-aria-components";
import type { Mailbox } from "../../jmap/index.ts";
import { Menu, MenuItem, MenuLine, toasts } from "../../ui/index.ts";
import { useMailboxes } from "../hooks.ts";
import style from "../Sidebar.module.css";
import { useMail } from "../session.ts";
import { DestroyFolder } from "./DestroyFolder.tsx";
import { FolderDialog } from "./FolderDialog.tsx";
import { changeFolder, freeName, isInTrash } from "./folders.ts";
import { useAttempt } from "./useAttempt.ts";

/** A folder of one's own in the sidebar, with its menu. */
export function FolderItem({ mailbox, children }: { mailbox: Mailbox; children: ReactNode }) {
  const { t } = useLingui();
  const mail = useMail();
  const all = useMailboxes();
  const [open, turn] = useState(false);
  const [shown, show] = useState<"change" | "new" | "destroy">();
  const [, run] = useAttempt();
  const { id, name, parentId, myRights } = mailbox;

  /** Into the trash, from where it comes back; for ever only from there. */
  async function remove(): Promise<void> {
    const trash = mail.store.mailboxes.role("trash");
    if (!trash || isInTrash(mailbox, mail)) return show("destroy");
    const to = { parentId: trash.id, name: freeName(name, trash.id, all) };
    if (!(await run(() => changeFolder(mail, id, to)))) return;
    toasts.show(t`The folder “${name}” was moved to trash.`, {
      words: t`Undo`,
      run: () => void run(() => changeFolder(mail, id, { parentId, name })),
    });
  }

  return (
    <li
      className={style.own}
      data-menu={open || undefined}
      onContextMenu={(event) => {
        event.preventDefault();
        turn(true);
      }}
    >
      {children}
      <Menu
        label={t`Folder ${name}`}
        open={open}
        turn={turn}
        trigger={
          <Button className={style.more ?? ""} aria-label={t`What to do with ${name}`}>
            <Ellipsis size={16} aria-hidden />
          </Button>
        }
      >
        {myRights.mayRename === false ? null : (
          <MenuItem icon={Pencil} onAction={() => show("change")}>
            {t`Rename or move`}
          </MenuItem>
        )}
        {myRights.mayCreateChild === false ? null : (
          <MenuItem icon={FolderPlus} onAction={() => show("new")}>
            {t`New folder within`}
          </MenuItem>
        )}
        <MenuItem
          icon={mailbox.isSubscribed ? EyeOff : Eye}
          onAction={() =>
            void run(() => changeFolder(mail, id, { isSubscribed: !mailbox.isSubscribed }))
          }
        >
          {mailbox.isSubscribed ? t`Hide in other mail programs` : t`Show in other mail programs`}
        </MenuItem>
        {myRights.mayDelete === false ? null : <MenuLine />}
        {myRights.mayDelete === false ? null : (
          <MenuItem icon={Trash2} tone="danger" onAction={() => void remove()}>
            {t`Delete`}
          </MenuItem>
        )}
      </Menu>
      {shown === "change" ? (
        <FolderDialog mailbox={mailbox} close={() => show(undefined)} />
      ) : shown === "new" ? (
        <FolderDialog parent={id} close={() => show(undefined)} />
      ) : shown === "destroy" ? (
        <DestroyFolder mailbox={mailbox} close={() => show(undefined)} />
      ) : null}
    </li>
  );
}
