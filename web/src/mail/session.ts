/** Mail of who is signed in: the transport, the store over it, and news from the server. */
import { createContext, useContext } from "react";
import { JmapClient, newsFrom, Push, RequestError, type Source, TIMERS } from "../jmap/index.ts";
import { forgetShelf, Shelf, ShelvedTransport } from "../offline/index.ts";
import { recent } from "../search/index.ts";
import {
  Disk,
  forget,
  forgetDrafts,
  forgetOutbox,
  type Kept,
  MailStore,
  Outbox,
} from "../store/index.ts";
import { keepShelf } from "./shelving.ts";
import { trusted } from "./trusted.ts";

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
/** After something changed, until it is written to disk; the first time it is soon, for who comes back soon. */
const SETTLED = 3_000;
const SOON = 700;

/** Where there was a visit before, as it was left, while the server is asked what is new. `ahead` asks for what is
    shown first, before anything is. Throws `RequestError` where nothing is kept and the server cannot be
    reached. */
export async function openMail(ahead: (store: MailStore) => void): Promise<MailSession> {
  const last = localStorage.getItem(LAST) ?? "";
  const disk = new Disk(last);
  const visit = last ? await disk.read() : undefined;
  if (visit) return opened(JmapClient.known(visit.session), disk, last, visit.kept);
  void disk.close();
  const client = await JmapClient.connect();
  const account = accountOf(client);
  localStorage.setItem(LAST, account);
  const session = await opened(client, new Disk(account), account, undefined);
  ahead(session.store);
  return session;
}

const accountOf = ({ account, session }: JmapClient) => `${account} ${session.username}`;

async function opened(
  client: JmapClient,
  disk: Disk,
  account: string,
  kept: Kept | undefined,
): Promise<MailSession> {
  const shelf = new Shelf(account);
  const store = new MailStore(new ShelvedTransport(client, shelf));
  const outbox = new Outbox(account);
  if (kept) {
    store.revive(kept);
    void renewed(client, account);
  } else await store.start();
  const ends = [
    keepUp(client, store, disk),
    keepWaiting(store, outbox),
    keepShelf(client, store, shelf),
  ];
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
      for (const end of ends) end();
      removeEventListener("online", look);
      removeEventListener("pagehide", leave);
    },
  };
}

/** Take over today's session; somebody else's begins anew. */
async function renewed(client: JmapClient, account: string): Promise<void> {
  try {
    const fresh = await JmapClient.connect();
    if (accountOf(fresh) === account) client.session = fresh.session;
    else {
      await forgetMail();
      location.reload();
    }
  } catch (error) {
    // Whoever waits for a connection, or whose session has ended, is told by the store.
    if (!(error instanceof RequestError)) throw error;
  }
}

/** What was done is kept until the server has it. */
function keepWaiting(store: MailStore, outbox: Outbox): () => void {
  const write = () => void outbox.write(store.sender.waiting);
  const unsubscribe = store.sender.queued.subscribe(write);
  void outbox.inherit().then((left) => left.length && store.resume(left));
  return () => {
    unsubscribe();
    void outbox.close();
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
function keepUp(client: JmapClient, store: MailStore, disk: Disk): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  function write(): void {
    clearTimeout(timer);
    timer = undefined;
    const kept = store.keep();
    if (kept) void disk.write({ session: client.session, kept });
  }
  const later = (after = SETTLED) => {
    timer ??= setTimeout(write, after);
  };
  const left = () => document.visibilityState === "hidden" && write();
  const unsubscribe = store.mailboxes.subscribe(() => later());
  document.addEventListener("visibilitychange", left);
  later(SOON);
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
  trusted.forget();
  recent.forget();
  await Promise.all([forget(), forgetShelf(), forgetNotices()]);
}

/** What the service worker told of, and the way by which it hears: another person's are other ones. */
async function forgetNotices(): Promise<void> {
  localStorage.removeItem("malleposte.push");
  try {
    await caches.delete("told");
    const registration = await navigator.serviceWorker?.getRegistration();
    for (const notice of (await registration?.getNotifications()) ?? []) notice.close();
    await (await registration?.pushManager?.getSubscription())?.unsubscribe();
  } catch {
    // A browser without one of these has nothing to forget.
  }
}

/** Forget what was being written in this browser, and to whom: who did has signed out. */
export async function forgetWritten(): Promise<void> {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("malleposte.compose.used")) localStorage.removeItem(key);
  }
  await Promise.all([forgetDrafts(), forgetOutbox()]);
}

export const MailContext = createContext<MailSession | undefined>(undefined);

export function useMail(): MailSession {
  const mail = useContext(MailContext);
  if (!mail) throw new Error("useMail is for what is within Mail");
  return mail;
}
