import { Plural, Trans, useLingui } from "@lingui/react/macro";
import {
  Archive,
  FolderInput,
  Inbox,
  MailOpen,
  SearchX,
  ShieldAlert,
  Trash2,
  X,
} from "lucide-react";
import { useEffect } from "react";
import type { Id } from "../jmap/index.ts";
import type { MessageList } from "../store/index.ts";
import { Button, EmptyState, IconButton, Menu, MenuItem, Skeleton } from "../ui/index.ts";
import type { Deeds } from "./deeds.ts";
import { useList, useMailboxes } from "./hooks.ts";
import style from "./ListPane.module.css";
import { MessageGrid } from "./MessageGrid.tsx";
import { isOutgoing, mailboxIcon, mailboxName } from "./names.ts";
import { cleared, type Selection } from "./selection.ts";
import { useMail } from "./session.ts";
import type { View } from "./view.ts";

export interface ListPaneProps {
  view: View;
  list: MessageList;
  open: Id | undefined;
  selection: Selection;
  select: (selection: Selection) => void;
  deeds: Deeds;
  read: (id: Id) => void;
  search: string | undefined;
}

/** The middle pane: what list it is, what can be done with what is marked, and the rows. */
export function ListPane(props: ListPaneProps) {
  const { view, list, open, selection, select, deeds, read, search } = props;
  const { t, i18n } = useLingui();
  useList(list);
  const title = view.mailbox ? mailboxName(view.mailbox, i18n) : t`Search results`;
  return (
    <section className={style.pane} aria-label={title}>
      {selection.marked.size ? (
        <Marked deeds={deeds} view={view} selection={selection} select={select} />
      ) : (
        <header className={style.head}>
          <h1 className={style.title}>{title}</h1>
          <span className={style.count} aria-live="polite">
            {!list.ready ? null : search ? (
              <Plural value={list.length} one="# message" other="# messages" />
            ) : view.mailbox?.unreadEmails ? (
              <Plural value={view.mailbox.unreadEmails} one="# unread" other="# unread" />
            ) : null}
          </span>
        </header>
      )}
      <div className={style.rows}>
        {list.ready && !list.length ? (
          <Empty view={view} search={search} />
        ) : list.ready ? (
          <MessageGrid
            list={list}
            label={title}
            conversations={view.conversations}
            outgoing={isOutgoing(view.mailbox)}
            open={open}
            selection={selection}
            select={select}
            deeds={deeds}
            read={read}
          />
        ) : (
          <FirstLook list={list} />
        )}
      </div>
    </section>
  );
}

/** Before anything is known of a list. */
function FirstLook({ list }: { list: MessageList }) {
  const { t } = useLingui();
  const { store } = useMail();
  useEffect(() => store.need(list, 0, 1), [store, list]);
  if (!list.failed) {
    return (
      <div className={style.waiting} aria-busy>
        {[0, 1, 2, 3, 4, 5].map((n) => (
          <div key={n} className={style.ghost}>
            <Skeleton width="half" />
            <Skeleton width="long" />
          </div>
        ))}
      </div>
    );
  }
  return (
    <EmptyState icon={SearchX} title={t`This list could not be loaded`}>
      <p>
        <Trans>The server could not list these messages. Your mail itself is safe.</Trans>
      </p>
      <Button onPress={() => store.need(list, 0, 1)}>
        <Trans>Try again</Trans>
      </Button>
    </EmptyState>
  );
}

function Empty({ view, search }: { view: View; search: string | undefined }) {
  const { t } = useLingui();
  if (search) {
    return (
      <EmptyState icon={SearchX} title={t`Nothing found`}>
        <Trans>No message has all of these words. Try fewer of them.</Trans>
      </EmptyState>
    );
  }
  if (view.mailbox?.role === "inbox") {
    return (
      <EmptyState icon={Inbox} title={t`All done`}>
        <Trans>There is nothing in your inbox. New mail appears here by itself.</Trans>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={view.mailbox ? mailboxIcon(view.mailbox) : Inbox} title={t`Nothing here`}>
      {view.mailbox?.role === "trash" ? (
        <Trans>What you delete comes here first.</Trans>
      ) : view.mailbox?.role === "archive" ? (
        <Trans>Put away what is done with: it stays searchable.</Trans>
      ) : (
        <Trans>Messages that are moved here appear in this list.</Trans>
      )}
    </EmptyState>
  );
}

/** What can be done with what is marked. */
function Marked({
  deeds,
  view,
  selection,
  select,
}: {
  deeds: Deeds;
  view: View;
  selection: Selection;
  select: (selection: Selection) => void;
}) {
  const { t, i18n } = useLingui();
  const mailboxes = useMailboxes();
  const rows = [...selection.marked];
  const title = view.mailbox ? mailboxName(view.mailbox, i18n) : t`Search results`;
  const done = (deed: () => void) => () => {
    deed();
    select(cleared(selection));
  };
  return (
    <header className={style.head}>
      <h1 className="visually-hidden">{title}</h1>
      <IconButton icon={X} label={t`Unmark all`} shortcut="Esc" onPress={done(() => {})} />
      <span className={style.marked} aria-live="polite">
        <Plural value={rows.length} one="# marked" other="# marked" />
      </span>
      <div className={style.tools}>
        <IconButton
          icon={Archive}
          label={t`Archive`}
          shortcut="E"
          onPress={done(() => deeds.archive(rows))}
        />
        <IconButton
          icon={Trash2}
          label={t`Move to trash`}
          shortcut="#"
          onPress={done(() => deeds.trash(rows))}
        />
        <IconButton
          icon={MailOpen}
          label={t`Mark as read`}
          onPress={done(() => deeds.read(rows, true))}
        />
        <IconButton
          icon={ShieldAlert}
          label={t`Junk`}
          shortcut="!"
          onPress={done(() => deeds.junk(rows))}
        />
        <Menu label={t`Move to`} trigger={<IconButton icon={FolderInput} label={t`Move to`} />}>
          {mailboxes
            .filter((one) => one.id !== view.mailbox?.id)
            .map((one) => (
              <MenuItem
                key={one.id}
                icon={mailboxIcon(one)}
                onAction={done(() => deeds.move(rows, one))}
              >
                {mailboxName(one, i18n)}
              </MenuItem>
            ))}
        </Menu>
      </div>
    </header>
  );
}
