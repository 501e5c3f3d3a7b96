import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Archive, FolderInput, Inbox, MailOpen, SearchX, Tag, Trash2, X } from "lucide-react";
import { useEffect } from "react";
import type { Id } from "../jmap/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { parse, saysWhere } from "../search/index.ts";
import type { MessageList } from "../store/index.ts";
import { Button, EmptyState, IconButton, Menu, MenuItem, Skeleton } from "../ui/index.ts";
import type { Deeds } from "./deeds.ts";
import { useList, useMailboxes } from "./hooks.ts";
import style from "./ListPane.module.css";
import { MessageGrid } from "./MessageGrid.tsx";
import { isOutgoing, mailboxIcon, mailboxName } from "./names.ts";
import { useAway } from "./organise/away.ts";
import { EmptyBin } from "./organise/EmptyBin.tsx";
import { useLabels } from "./organise/labels.ts";
import { useOrganise } from "./organise/Organise.tsx";
import { SearchChips } from "./SearchChips.tsx";
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
  place: MailPlace;
}

const EMPTIED = new Set(["trash", "junk"]);

/** The middle pane: what list it is, what can be done with what is marked, and the rows. */
export function ListPane(props: ListPaneProps) {
  const { view, list, open, selection, select, deeds, read, place } = props;
  const { search } = place;
  const { t, i18n } = useLingui();
  useList(list);
  const label = useLabels().all.find(({ id }) => id === view.keyword);
  const title = view.mailbox ? mailboxName(view.mailbox, i18n) : (label?.name ?? t`Search results`);
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
          {view.mailbox && EMPTIED.has(view.mailbox.role ?? "") && list.length ? (
            <EmptyBin mailbox={view.mailbox} />
          ) : null}
        </header>
      )}
      {search ? <SearchChips place={place} search={search} /> : null}
      <div className={style.rows}>
        {list.ready && !list.length ? (
          <Empty view={view} place={place} />
        ) : list.ready ? (
          <MessageGrid
            list={list}
            label={title}
            conversations={view.conversations}
            found={Boolean(search)}
            outgoing={isOutgoing(view.mailbox)}
            role={view.mailbox?.role ?? null}
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
  if (list.reason === "unsupportedFilter") return <TooMuch />;
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

/** The server will not look through so much. */
function TooMuch() {
  const { t } = useLingui();
  return (
    <EmptyState icon={SearchX} title={t`That is too much to look through`}>
      <Trans>
        There are too many messages in which these words could stand. Say more of what you look for,
        such as a folder (in:), a sender (from:) or a time (after:).
      </Trans>
    </EmptyState>
  );
}

function NothingFound({ place, search }: { place: MailPlace; search: string }) {
  const { t } = useLingui();
  const everywhere = saysWhere(parse(search));
  return (
    <EmptyState icon={SearchX} title={t`Nothing found`}>
      <p>
        <Trans>No message has all of this. Try fewer words, or parts of them.</Trans>
      </p>
      {everywhere ? null : (
        <Button onPress={() => go({ ...place, search: `${search} in:anywhere` })}>
          <Trans>Look in junk and trash as well</Trans>
        </Button>
      )}
    </EmptyState>
  );
}

function Empty({ view, place }: { view: View; place: MailPlace }) {
  const { t } = useLingui();
  if (place.search) return <NothingFound place={place} search={place.search} />;
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
      ) : view.keyword ? (
        <Trans>Messages that get this label appear in this list. Press L upon one.</Trans>
      ) : view.mailbox?.role === "archive" ? (
        <Trans>Put away what is done with: it stays searchable.</Trans>
      ) : view.mailbox?.role === "drafts" ? (
        <Trans>What you begin to write is kept here until it is sent.</Trans>
      ) : view.mailbox?.role === "sent" ? (
        <Trans>What you send is kept here.</Trans>
      ) : view.mailbox?.role === "scheduled" ? (
        <Trans>What is to be sent later waits here, and can be stopped.</Trans>
      ) : view.mailbox?.role === "junk" ? (
        <Trans>
          What looks like junk comes here. Have a look now and then: what is none learns to stay in
          the inbox once it is moved there.
        </Trans>
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
  const organise = useOrganise();
  const rows = [...selection.marked];
  const away = useAway(view.mailbox?.role);
  const label = useLabels().all.find(({ id }) => id === view.keyword);
  const title = view.mailbox ? mailboxName(view.mailbox, i18n) : (label?.name ?? t`Search results`);
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
          label={away.trash}
          shortcut="#"
          onPress={done(() => deeds.trash(rows))}
        />
        <IconButton
          icon={MailOpen}
          label={t`Mark as read`}
          onPress={done(() => deeds.read(rows, true))}
        />
        <IconButton
          icon={away.junkIcon}
          label={away.junk}
          shortcut="!"
          onPress={done(() => deeds.junk(rows))}
        />
        <IconButton
          icon={Tag}
          label={t`Labels`}
          shortcut="L"
          onPress={() => organise({ kind: "label", rows })}
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
