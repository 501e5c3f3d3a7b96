import { useLingui } from "@lingui/react/macro";
import { PenLine } from "lucide-react";
import type { MouseEvent } from "react";
import type { Mailbox } from "../jmap/index.ts";
import { addressOf, go, usePlace } from "../route/index.ts";
import { Button, Wordmark } from "../ui/index.ts";
import { useMailboxes } from "./hooks.ts";
import { mailboxIcon, mailboxName } from "./names.ts";
import style from "./Sidebar.module.css";
import { useWriting } from "./writing.ts";

/** Mailboxes in the order of a tree, each with how deep it is. */
function tree(all: readonly Mailbox[]): [Mailbox, number][] {
  const known = new Set(all.map((one) => one.id));
  const below = (parent: string | null, depth: number): [Mailbox, number][] =>
    all
      .filter((one) => (one.parentId && known.has(one.parentId) ? one.parentId : null) === parent)
      .flatMap((one) => [[one, depth] as [Mailbox, number], ...below(one.id, depth + 1)]);
  return below(null, 0);
}

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
  const current = place.at === "mail" && !place.search ? place.mailbox : "";

  function chosen(event: MouseEvent, mailbox: Mailbox): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ at: "mail", mailbox: mailbox.id });
    left?.();
  }

  const rows = tree(mailboxes);
  const own = rows.filter(([one]) => !one.role);
  const item = ([mailbox, depth]: [Mailbox, number]) => {
    const Icon = mailboxIcon(mailbox);
    const count = counted(mailbox);
    const here = mailbox.id === current || (current === "inbox" && mailbox.role === "inbox");
    return (
      <li key={mailbox.id}>
        <a
          href={addressOf({ at: "mail", mailbox: mailbox.id })}
          aria-current={here ? "page" : undefined}
          className={style.item}
          data-depth={Math.min(depth, 5)}
          data-quiet={mailbox.role === "drafts" || mailbox.role === "junk" || undefined}
          onClick={(event) => chosen(event, mailbox)}
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
      </li>
    );
  };

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
        <ul className={style.list}>{rows.filter(([one]) => one.role).map(item)}</ul>
        {own.length ? (
          <>
            <h2 className={style.title}>{t`Folders`}</h2>
            <ul className={style.list}>{own.map(item)}</ul>
          </>
        ) : null}
      </nav>
    </div>
  );
}
