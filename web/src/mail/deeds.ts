/** What can be done with rows: on the messages of this view alone, said in words, and taken back by a press. */
import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg, plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { useMemo } from "react";
import type { Email, Id, Mailbox, MailLabel } from "../jmap/index.ts";
import type { Deed, Done, MailStore, MessageList } from "../store/index.ts";
import { toasts } from "../ui/index.ts";
import { mailboxName } from "./names.ts";
import { remove, removed } from "./organise/bin.ts";
import { type MailSession, useMail } from "./session.ts";
import type { View } from "./view.ts";

export interface Deeds {
  archive(rows: readonly Id[]): void;
  /** To the trash; what is there is deleted for good. */
  trash(rows: readonly Id[]): void;
  /** To junk; what is there is none, and goes back to the inbox. */
  junk(rows: readonly Id[]): void;
  move(rows: readonly Id[], to: Mailbox): void;
  label(rows: readonly Id[], label: MailLabel, on: boolean): void;
  read(rows: readonly Id[], on: boolean): void;
  star(rows: readonly Id[], on: boolean): void;
  /** Mark what is opened as read, without a word. */
  opened(row: Id): void;
  starOne(email: Email): void;
}

/** The messages that a row stands for: those of its conversation that are in this view. */
export function messagesOf(store: MailStore, view: View, row: Id): Id[] {
  const email = store.emails.get(row);
  if (!email) return [];
  if (!view.conversations) return [row];
  const mailbox = view.mailbox?.id;
  return store.threads
    .emails(email.threadId)
    .filter((one) => !mailbox || one.mailboxIds[mailbox])
    .filter((one) => !view.keyword || one.keywords[view.keyword])
    .map((one) => one.id);
}

export function useDeeds(view: View, list: MessageList): Deeds {
  const mail = useMail();
  const { i18n } = useLingui();
  return useMemo(() => deeds(mail, view, list, i18n), [mail, view, list, i18n]);
}

function deeds(mail: MailSession, view: View, list: MessageList, i18n: I18n): Deeds {
  const { store } = mail;
  const messages = (rows: readonly Id[]) => rows.flatMap((row) => messagesOf(store, view, row));

  function told(done: Done | undefined, words: (count: number) => MessageDescriptor): void {
    if (!done) return;
    toasts.show(i18n._(words(done.count)), { words: i18n._(msg`Undo`), run: done.undo });
  }

  function put(rows: readonly Id[], to: Mailbox, from: Id | null): Done | undefined {
    if (to.id === view.mailbox?.id) return undefined;
    const deed: Deed = { kind: "move", from, to: to.id };
    return store.act(deed, messages(rows), { list, rows });
  }

  async function putByRole(
    rows: readonly Id[],
    role: "archive" | "trash" | "junk",
    name: MessageDescriptor,
    words: (count: number) => MessageDescriptor,
  ): Promise<void> {
    // Without a pause where the mailbox is there: it is to be seen at once.
    const to = store.mailboxes.role(role) ?? (await store.mailboxFor(role, i18n._(name)));
    // Where no mailbox is looked at, archiving is leaving the inbox: what was sent stays with what was sent.
    const left = view.mailbox ?? store.mailboxes.role("inbox");
    const from = role === "archive" ? (left?.id ?? null) : null;
    if (to) told(put(rows, to, from), words);
  }

  const keyword = (ids: readonly Id[], name: string, on: boolean) =>
    store.act({ kind: "keyword", keyword: name, on }, ids);

  return {
    archive: (rows) =>
      void putByRole(rows, "archive", msg({ message: "Archive", context: "mailbox" }), (count) =>
        msg({
          message: plural(count, { one: "# message archived", other: "# messages archived" }),
        }),
      ),
    trash: (rows) => {
      if (view.mailbox?.role === "trash") {
        void removed(remove(mail, messages(rows), view.mailbox.id), i18n);
        return;
      }
      void putByRole(rows, "trash", msg`Trash`, (count) =>
        msg({
          message: plural(count, {
            one: "# message moved to trash",
            other: "# messages moved to trash",
          }),
        }),
      );
    },
    junk: (rows) => {
      const inbox = store.mailboxes.role("inbox");
      if (view.mailbox?.role === "junk" && inbox) {
        told(put(rows, inbox, view.mailbox.id), (count) =>
          msg({
            message: plural(count, {
              one: "# message is no junk, and in the inbox again",
              other: "# messages are no junk, and in the inbox again",
            }),
          }),
        );
        return;
      }
      void putByRole(rows, "junk", msg`Junk`, (count) =>
        msg({
          message: plural(count, {
            one: "# message moved to junk",
            other: "# messages moved to junk",
          }),
        }),
      );
    },
    move: (rows, to) => {
      const place = mailboxName(to, i18n);
      told(put(rows, to, view.mailbox?.id ?? null), (count) =>
        msg({
          message: plural(count, {
            one: `# message moved to ${place}`,
            other: `# messages moved to ${place}`,
          }),
        }),
      );
    },
    label: (rows, { id, name }, on) =>
      told(keyword(messages(rows), id, on), (count) =>
        on
          ? msg({
              message: plural(count, {
                one: `# message labelled “${name}”`,
                other: `# messages labelled “${name}”`,
              }),
            })
          : msg({
              message: plural(count, {
                one: `Label “${name}” taken from # message`,
                other: `Label “${name}” taken from # messages`,
              }),
            }),
      ),
    read: (rows, on) => {
      const done = keyword(messages(rows), "$seen", on);
      told(done, (count) =>
        on
          ? msg({
              message: plural(count, {
                one: "# message marked as read",
                other: "# messages marked as read",
              }),
            })
          : msg({
              message: plural(count, {
                one: "# message marked as unread",
                other: "# messages marked as unread",
              }),
            }),
      );
    },
    star: (rows, on) => {
      // A star is put on the newest of a conversation, and taken from all.
      const all = messages(rows);
      keyword(on ? rows : all, "$flagged", on);
    },
    opened: (row) => void keyword(messages([row]), "$seen", true),
    starOne: (email) => void keyword([email.id], "$flagged", !email.keywords.$flagged),
  };
}
