/** The store, as components read it: each is drawn anew for what it shows, and nothing else. */
import { useLingui } from "@lingui/react/macro";
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Email, EmailBody, Id, Mailbox } from "../jmap/index.ts";
import type { MessageList, Row } from "../store/index.ts";
import { mailboxName } from "./names.ts";
import { useMail } from "./session.ts";

export function useMailboxes(): readonly Mailbox[] {
  const { mailboxes } = useMail().store;
  return useSyncExternalStore(mailboxes.subscribe, () => mailboxes.all);
}

/** Draws anew whenever a list changes, and keeps it up to date. */
export function useList(list: MessageList): void {
  const { store } = useMail();
  useEffect(() => store.watch(list), [store, list]);
  useSyncExternalStore(list.subscribe, () => list.version);
}

/** The names of the folders that a message is in, where they are to be shown. */
export function useFolders(email: Email | undefined, shown: boolean): string {
  const { mailboxes } = useMail().store;
  const { i18n } = useLingui();
  return useSyncExternalStore(mailboxes.subscribe, () => {
    if (!shown || !email) return "";
    const found = mailboxes.all.filter(({ id }) => email.mailboxIds[id]);
    return found.map((one) => mailboxName(one, i18n)).join(", ");
  });
}

/** What a row shows; nothing while it is on its way. */
export function useRow(
  id: Id | undefined,
  conversation: boolean,
  outgoing: boolean,
): Row | undefined {
  const { emails, threads } = useMail().store;
  const thread = id ? emails.get(id)?.threadId : undefined;
  return useSyncExternalStore(
    (heard) => {
      if (thread) return emails.ofThread.subscribe(thread, heard);
      return id ? emails.shown.subscribe(id, heard) : () => {};
    },
    () => (id ? threads.row(id, conversation, outgoing) : undefined),
  );
}

export interface Conversation {
  readonly threadId: Id;
  readonly emails: readonly Email[];
}

/** The messages that are read with one: its conversation, or itself alone. */
export function useConversation(id: Id, whole: boolean): Conversation | undefined {
  const row = useRow(id, whole, false);
  const { threads } = useMail().store;
  if (!row) return undefined;
  const emails = whole ? threads.emails(row.threadId) : [];
  return { threadId: row.threadId, emails: emails.length ? emails : [row.email] };
}

/** The body of a message: "failed" where it cannot be had, nothing while it is on its way. */
export function useBody(id: Id, wanted: boolean): [EmailBody | "failed" | undefined, () => void] {
  const { store } = useMail();
  const there = wanted ? store.bodyNow(id) : undefined;
  const [body, setBody] = useState<{ id: Id; body: EmailBody | "failed" } | undefined>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tried again on demand
  useEffect(() => {
    if (!wanted || store.bodyNow(id)) return;
    let left = false;
    store.body(id).then(
      (found) => left || setBody({ id, body: found ?? "failed" }),
      () => left || setBody({ id, body: "failed" }),
    );
    return () => {
      left = true;
    };
  }, [store, id, wanted, tries]);
  return [there ?? (body?.id === id ? body.body : undefined), () => setTries(tries + 1)];
}

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (heard) => {
      const list = matchMedia(query);
      list.addEventListener("change", heard);
      return () => list.removeEventListener("change", heard);
    },
    () => matchMedia(query).matches,
  );
}

const DARK = new Set(["dark", "contrast-dark"]);

/** Whether the page is dark now. */
export function useDark(): boolean {
  return useSyncExternalStore(
    (heard) => {
      const looking = new MutationObserver(heard);
      looking.observe(document.documentElement, { attributeFilter: ["data-theme"] });
      return () => looking.disconnect();
    },
    () => DARK.has(document.documentElement.dataset.theme ?? ""),
  );
}
