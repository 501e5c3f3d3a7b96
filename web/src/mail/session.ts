/** Mail of who is signed in: the transport, the store over it, and news from the server. */
import { createContext, useContext } from "react";
import { JmapClient, newsFrom, Push, type Source, TIMERS } from "../jmap/index.ts";
import { recent } from "../search/index.ts";
import { Disk, forget, forgetDrafts, MailStore } from "../store/index.ts";

export interface MailSession {
  readonly client: JmapClient;
  readonly store: MailStore;
  stop(): void;
}

const TYPES = ["Email", "Mailbox", "Thread"];
/** Seconds between two signs of life on the connection for news. */
const PING = 60;

/** Under which the account of the last visit is kept, so that what is on disk is read while the server is asked. */
const LAST = "malleposte.account";
/** After something changed, until it is written to disk. */
const SETTLED = 3_000;

/** Throws `RequestError`. */
export async function openMail(): Promise<MailSession> {
  const last = localStorage.getItem(LAST) ?? "";
  let disk = new Disk(last);
  const early = last ? disk.read() : undefined;
  const client = await JmapClient.connect();
  const account = `${client.account} ${client.session.username}`;
  const store = new MailStore(client);
  if (account !== last) {
    void disk.close();
    disk = new Disk(account);
    localStorage.setItem(LAST, account);
  }
  const kept = account === last ? await early : undefined;
  if (kept) store.revive(kept);
  else await store.start();
  const end = keepUp(store, disk);
  const look = () => void store.sender.look();
  const push = new Push(client.events(TYPES, PING), look, opener(client));
  push.start();
  const leave = () => store.sender.leave();
  addEventListener("online", look);
  addEventListener("pagehide", leave);
  return {
    client,
    store,
    stop() {
      push.stop();
      end();
      removeEventListener("online", look);
      removeEventListener("pagehide", leave);
    },
  };
}

/** What opens a connection for news. */
function opener(client: JmapClient): (url: string) => Source {
  const events = () => new EventSource(client.events(TYPES, PING));
  const { socket } = client;
  if (!socket) return events;
  return newsFrom(() => new WebSocket(socket, "jmap"), events, TYPES, PING * 1_000, TIMERS);
}

/** Write what is known to disk, a moment after it changed and when the page is left. */
function keepUp(store: MailStore, disk: Disk): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    const kept = store.keep();
    if (kept) void disk.write(kept);
  }
  const later = () => {
    timer ??= setTimeout(write, SETTLED);
  };
  const left = () => document.visibilityState === "hidden" && write();
  const unsubscribe = store.mailboxes.subscribe(later);
  document.addEventListener("visibilitychange", left);
  later();
  return () => {
    clearTimeout(timer);
    unsubscribe();
    document.removeEventListener("visibilitychange", left);
    void disk.close();
  };
}

/** Forget all mail that is kept in this browser. */
export async function forgetMail(): Promise<void> {
  localStorage.removeItem(LAST);
  recent.forget();
  await forget();
}

export const MailContext = createContext<MailSession | undefined>(undefined);

export function useMail(): MailSession {
  const mail = useContext(MailContext);
  if (!mail) throw new Error("useMail is for what is within Mail");
  return mail;
}

/** Forget what was being written in this browser, and to whom: who did has signed out. */
export async function forgetWritten(): Promise<void> {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("malleposte.compose.used")) localStorage.removeItem(key);
  }
  await forgetDrafts();
}
