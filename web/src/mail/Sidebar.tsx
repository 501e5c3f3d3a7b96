import { useLingui } from "@lingui/react/macro";
import { PenLine } from "lucide-react";
import { type MouseEvent, useState } from "react";
import { tree } from "../folders/index.ts";
import type { Mailbox } from "../jmap/index.ts";
import { addressOf, go, usePlace } from "../route/index.ts";
import { Button, Wordmark } from "../ui/index.ts";
import { useMailboxes } from "./hooks.ts";
import { mailboxIcon, mailboxName } from "./names.ts";
import { FolderDialog } from "./organise/FolderDialog.tsx";
import { FolderItem } from "./organise/FolderItem.tsx";
import { droppable, Heading, LabelItems } from "./organise/LabelItems.tsx";
import style from "./Sidebar.module.css";
import { useWriting } from "./writing.ts";

/** What a mailbox counts: drafts all, the rest what is unread; where nobody looks, nothing. */
function counted(mailbox: Mailbox): number {
  if (mailbox.role === "drafts") return mailbox.totalEmails;
  return ["sent", "trash"].includes(mailbox.role ?? "") ? 0 : mailbox.unreadEmails;
}

/** `left`: told after a mailbox was chosen. */
export function Sidebar({ left }: { left?: () => void }) {
  const { t, i18n } = useLingui();
  const mailboxes = useMailboxes();
  const place = usePlace();
  const writing = useWriting();
  const [making, setMaking] = useState(false);
  const current = place.at === "mail" && !place.search ? place.mailbox : "";

  function chosen(event: MouseEvent, mailbox: Mailbox): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ at: "mail", mailbox: mailbox.id });
    left?.();
  }

  const rows = tree(mailboxes);
  const link = ([mailbox, depth]: [Mailbox, number]) => {
    const Icon = mailboxIcon(mailbox);
    const count = counted(mailbox);
    const here = mailbox.id === current || (current === "inbox" && mailbox.role === "inbox");
    return (
      <a
        href={addressOf({ at: "mail", mailbox: mailbox.id })}
        aria-current={here ? "page" : undefined}
        className={style.item}
        data-depth={Math.min(depth, 5)}
        data-quiet={mailbox.role === "drafts" || mailbox.role === "junk" || undefined}
        onClick={(event) => chosen(event, mailbox)}
        {...droppable({ mailbox })}
      >
        <Icon size={18} aria-hidden className={style.icon} />
        <span className={style.name}>{mailboxName(mailbox, i18n)}</span>
        {count ? (
          <span className={style.count}>
            {count}
            <span className="visually-hidden">
              {mailbox.role === "drafts" ? t` drafts` : t` unread`}
            </span>
          </span>
        ) : null}
      </a>
    );
  };

  // What is in one with a role stands below it, so that the trash has its folders beside it.
  const byRole = new Set<string>();
  for (const [one] of rows) if (one.role || byRole.has(one.parentId ?? "")) byRole.add(one.id);
  const item = (row: [Mailbox, number]) =>
    row[0].role ? (
      <li key={row[0].id}>{link(row)}</li>
    ) : (
      <FolderItem key={row[0].id} mailbox={row[0]}>
        {link(row)}
      </FolderItem>
    );

  return (
    <div className={style.sidebar}>
      <div className={style.head}>
        <Wordmark />
      </div>
      <div className={style.write}>
        <Button
          kind="primary"
          icon={PenLine}
          wide
          onPress={() => {
            left?.();
            writing.compose();
          }}
        >
          {t`New message`}
        </Button>
      </div>
      <nav aria-label={t`Mailboxes`} className={style.nav}>
        <ul className={style.list}>{rows.filter(([one]) => byRole.has(one.id)).map(item)}</ul>
        <Heading words={t`Folders`} action={t`New folder`} run={() => setMaking(true)} />
        <ul className={style.list}>{rows.filter(([one]) => !byRole.has(one.id)).map(item)}</ul>
        <LabelItems current={current} left={left} />
      </nav>
      {making ? <FolderDialog close={() => setMaking(false)} /> : null}
    </div>
  );
}
