import { Trans, useLingui } from "@lingui/react/macro";
import { FolderX, Mails, PenLine } from "lucide-react";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import type { Id } from "../jmap/index.ts";
import { useKeys } from "../keys/index.ts";
import { prefs, usePrefs } from "../prefs/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { Drawer, EmptyState, Splitter, ToastRegion } from "../ui/index.ts";
import { useAbove } from "./Above.tsx";
import { answered, useDoing } from "./commands.ts";
import { type Deeds, messagesOf, useDeeds } from "./deeds.ts";
import { useList, useMailboxes, useMedia } from "./hooks.ts";
import { ListPane } from "./ListPane.tsx";
import { mailboxName } from "./names.ts";
import { useLabels } from "./organise/labels.ts";
import { type Asked, Organise } from "./organise/Organise.tsx";
import { Reader } from "./Reader.tsx";
import style from "./Shell.module.css";
import { Sidebar } from "./Sidebar.tsx";
import { cleared, meant, moved, NOTHING, neighbour, toggled } from "./selection.ts";
import { useMail } from "./session.ts";
import { TopBar } from "./TopBar.tsx";
import { type View, viewOf } from "./view.ts";
import { type Answering, useWriting } from "./writing.ts";

/** Rows from the one that is read whose messages are made ready: all as soon as one of the first three is not. */
const NEAR = [1, 2, -1, 3, 4, 5, -2, -3];

export interface ShellProps {
  place: MailPlace;
  signOut: () => void;
}

/** The three panes: mailboxes, a list, a message. Where there is less room, one after the other. */
export function Shell({ place, signOut }: ShellProps) {
  const { t } = useLingui();
  const roomy = useMedia("(min-width: 1000px)");
  const phone = useMedia("(max-width: 640px)");
  const [drawer, setDrawer] = useState(false);
  const { conversations } = usePrefs();
  const { showKeys } = useAbove();
  const mailboxes = useMailboxes();
  const view = viewOf(place, mailboxes, conversations, useLabels().all);
  useTitle(view, place.search);
  return (
    <div className={style.shell} data-roomy={roomy || undefined}>
      {roomy ? (
        <aside className={style.side}>
          <Sidebar />
        </aside>
      ) : (
        <Drawer open={drawer} close={() => setDrawer(false)} label={t`Mailboxes`}>
          <Sidebar left={() => setDrawer(false)} />
        </Drawer>
      )}
      <div className={style.main}>
        {phone && place.message ? null : (
          <TopBar
            place={place}
            signOut={signOut}
            openMenu={roomy ? undefined : () => setDrawer(true)}
            showKeys={showKeys}
          />
        )}
        {view ? (
          <Panes key={JSON.stringify(view.spec)} place={place} view={view} />
        ) : (
          <main className={style.panes}>
            <EmptyState icon={FolderX} title={t`This folder is not here`}>
              <Trans>It may have been deleted, or belong to somebody else.</Trans>
            </EmptyState>
          </main>
        )}
      </div>
      {phone && !place.message ? <WriteButton /> : null}
      <ToastRegion label={t`Notices`} closeLabel={t`Close`} />
    </div>
  );
}

/** The title of the window: what is unread, and where one is. */
function useTitle(view: View | undefined, search: string | undefined): void {
  const { i18n } = useLingui();
  const mailbox = view?.mailbox;
  const label = useLabels().all.find(({ id }) => id === view?.keyword);
  const name = search ?? (mailbox ? mailboxName(mailbox, i18n) : (label?.name ?? ""));
  const unread = mailbox?.unreadEmails ?? 0;
  useEffect(() => {
    document.title = `${unread ? `(${unread}) ` : ""}${name ? `${name} – ` : ""}Malleposte`;
  }, [unread, name]);
}

function Panes({ place, view: fresh }: { place: MailPlace; view: View }) {
  const { t } = useLingui();
  const { store } = useMail();
  const { listWidth, shortcuts } = usePrefs();
  const phone = useMedia("(max-width: 640px)");
  const [selection, select] = useState(NOTHING);
  // A mailbox is another object after each count; what is shown of it here is the same.
  const { mailbox, conversations } = fresh;
  const key = mailbox?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  const view = useMemo(() => fresh, [key, conversations, JSON.stringify(fresh.spec)]);
  const list = useMemo(() => store.list(view.spec), [store, view]);
  useList(list);
  const open = place.message;
  const at = open ? list.indexOf(open) : -1;
  const shown = { ...fresh, spec: view.spec };

  // Of what is done with rows: the same for all steps, or each step would draw every row anew.
  const now = useRef({ place, open, phone });
  now.current = { place, open, phone };
  const goTo = useCallback(
    (message: Id | undefined, how?: "replace") => {
      const { place } = now.current;
      go({ ...place, mailbox: key ?? place.mailbox, message }, how);
    },
    [key],
  );

  const writing = useWriting();
  function read(id: Id): void {
    // A draft is written on, not read; with its conversation it is below what it answers.
    const email = store.emails.get(id);
    const alone = !view.conversations || store.threads.emails(email?.threadId ?? "").length < 2;
    if (email?.keywords.$draft && alone) writing.edit(id);
    else {
      select((before) => moved(before, id));
      goTo(id, open && !phone ? "replace" : undefined);
    }
  }

  const plain = useDeeds(view, list);
  /** After what is read has gone, the next is read; where the list is not beside, one is back in it. */
  const deeds = useMemo<Deeds>(() => {
    function leaving(rows: readonly Id[], deed: () => void): void {
      const { open, phone } = now.current;
      const next = open && rows.includes(open) ? neighbour(list, rows, open) : open;
      deed();
      if (next !== open) goTo(phone ? undefined : next, "replace");
      select(cleared);
    }
    return {
      ...plain,
      archive: (rows) => leaving(rows, () => plain.archive(rows)),
      trash: (rows) => leaving(rows, () => plain.trash(rows)),
      junk: (rows) => leaving(rows, () => plain.junk(rows)),
      move: (rows, to) => leaving(rows, () => plain.move(rows, to)),
      read(rows, on) {
        plain.read(rows, on);
        const { open } = now.current;
        // What is to be unread is not looked at any more.
        if (!on && open && rows.includes(open)) goTo(undefined, "replace");
      },
    };
  }, [plain, list, goTo]);

  // What is opened is read; what is beside it is made ready.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each that is opened
  useEffect(() => {
    if (!open) return;
    select((before) => moved(before, open));
    // First it is to be seen. Whoever goes on at once has read it all the same.
    setTimeout(() => {
      plain.opened(open);
      const ids = NEAR.map((by) => (at + by < 0 ? undefined : list.at(at + by)))
        .map((id) => id && messagesOf(store, view, id).at(-1))
        .filter((id) => id !== undefined);
      if (ids.slice(0, 3).some((id) => !store.bodyNow(id))) store.prefetch(ids);
    }, 30);
  }, [open, plain, store.emails.known(open ?? "")]);

  function step(by: 1 | -1): void {
    const next = list.at(at < 0 ? 0 : at + by);
    if (next && (at >= 0 || by === 1)) read(next);
  }

  const stepping = useRef(step);
  stepping.current = step;
  const stepBy = useCallback((by: 1 | -1) => stepping.current(by), []);

  const organise = useRef<(asked: Asked) => void>(() => {});
  const rows = () => meant(selection, open ?? selection.cursor);
  const one = open ?? selection.cursor;
  const flagged = one ? store.emails.get(one)?.keywords.$flagged : undefined;
  const doing = {
    archive: () => deeds.archive(rows()),
    trash: () => deeds.trash(rows()),
    junk: () => deeds.junk(rows()),
    move: () => organise.current({ kind: "move", rows: rows() }),
    label: () => organise.current({ kind: "label", rows: rows() }),
    star: () => deeds.star(rows(), !flagged),
    read: () => deeds.read(rows(), true),
    unread: () => deeds.read(rows(), false),
  };
  useKeys(
    {
      ...doing,
      next: () => step(1),
      previous: () => step(-1),
      mark: () => one && select(toggled(selection, one)),
      back: () => goTo(undefined),
      leave: () => (selection.marked.size ? select(cleared(selection)) : goTo(undefined)),
      open: () => one && read(one),
    },
    shortcuts,
  );
  const answers = (how: Answering) => () => {
    const email = store.emails.get(open ?? "");
    const all = email && view.conversations ? store.threads.emails(email.threadId) : [];
    const id = answered(all.length ? all : email ? [email] : []);
    if (id) writing.answer(id, how);
  };
  const answering = {
    reply: answers("reply"),
    replyAll: answers("replyAll"),
    forward: answers("forward"),
  };
  const { deeds: commands } = useAbove();
  const named = useDoing();
  commands.current = () => (rows().length ? named({ ...doing, ...(open ? answering : {}) }) : []);
  useEffect(
    () => () => {
      commands.current = () => [];
    },
    [commands],
  );

  const listShown = !phone || !open;
  return (
    <main className={style.panes}>
      <Organise view={view} deeds={deeds} asks={organise}>
        {listShown ? (
          <div className={style.list} style={phone ? {} : { width: listWidth }}>
            <ListPane
              view={shown}
              list={list}
              open={open}
              selection={selection}
              select={select}
              deeds={deeds}
              read={read}
              place={place}
            />
          </div>
        ) : null}
        {phone ? null : (
          <Splitter
            label={t`Width of the list`}
            width={listWidth}
            least={300}
            most={720}
            resize={(width) => prefs.set({ listWidth: width })}
          />
        )}
        {open ? (
          <Reader
            id={open}
            view={shown}
            deeds={deeds}
            back={phone ? () => goTo(undefined) : undefined}
            step={stepBy}
            hasBefore={at > 0}
            hasAfter={at >= 0 && at < list.length - 1}
          />
        ) : phone ? null : (
          <div className={style.nothing}>
            <EmptyState icon={Mails} title={t`No message is open`}>
              <Trans>Choose one in the list, or press J for the first.</Trans>
            </EmptyState>
          </div>
        )}
      </Organise>
    </main>
  );
}

/** On a phone, under the thumb. */
function WriteButton() {
  const { t } = useLingui();
  const writing = useWriting();
  return (
    <AriaButton
      className={style.write ?? ""}
      aria-label={t`New message`}
      onPress={() => writing.compose()}
    >
      <PenLine size={22} aria-hidden />
    </AriaButton>
  );
}
