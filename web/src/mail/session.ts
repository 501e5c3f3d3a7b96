/** Mail of who is signed in: the transport, the store over it, and news from the server. */
import { createContext, useContext } from "react";
import { JmapClient, Push } from "../jmap/index.ts";
import { MailStore } from "../store/index.ts";

export interface MailSession {
  readonly client: JmapClient;
  readonly store: MailStore;
  stop(): void;
}

const TYPES = ["Email", "Mailbox", "Thread"];
/** Seconds between two signs of life on the connection for news. */
const PING = 60;

/** Throws `RequestError`. */
export async function openMail(): Promise<MailSession> {
  const client = await JmapClient.connect();
  const store = new MailStore(client);
  await store.start();
  const look = () => void store.sender.look();
  const push = new Push(client.events(TYPES, PING), look);
  push.start();
  addEventListener("online", look);
  return {
    client,
    store,
    stop() {
      push.stop();
      removeEventListener("online", look);
    },
  };
}

export const MailContext = createContext<MailSession | undefined>(undefined);

export function useMail(): MailSession {
  const mail = useContext(MailContext);
  if (!mail) throw new Error("useMail is for what is within Mail");
  return mail;
}
