/** When the mail of the last weeks is put on the shelf: while the page is open, and nothing else is to be done. */
import { type JmapClient, MethodError, RequestError } from "../jmap/index.ts";
import { gather, type Shelf } from "../offline/index.ts";
import { prefs } from "../prefs/index.ts";
import type { MailStore } from "../store/index.ts";

const FIRST = 8_000;
const EVERY = 15 * 60_000;
/** Between two requests. */
const PAUSE = 300;
const LOCK = "malleposte-shelf";

interface Saving {
  readonly connection?: { readonly saveData?: boolean };
}

/** Keep it up to date until the function returned is called. One tab does it for all. */
export function keepShelf(client: JmapClient, store: MailStore, shelf: Shelf): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const may = () =>
    !stopped &&
    navigator.onLine &&
    !store.sender.trouble &&
    prefs.get().offline &&
    !(navigator as Saving).connection?.saveData;

  async function pause(): Promise<boolean> {
    await new Promise((done) => setTimeout(done, PAUSE));
    if ("requestIdleCallback" in window) {
      await new Promise((done) => requestIdleCallback(done, { timeout: 5_000 }));
    }
    return may();
  }

  async function round(): Promise<void> {
    try {
      await navigator.locks?.request(LOCK, { ifAvailable: true }, async (own) => {
        if (own && may()) await gather(client, shelf, pause);
      });
    } catch (error) {
      // The next round tries again; nobody waits for it.
      if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
    } finally {
      if (!stopped) timer = setTimeout(() => void round(), EVERY);
    }
  }

  timer = setTimeout(() => void round(), FIRST);
  return () => {
    stopped = true;
    clearTimeout(timer);
    void shelf.close();
  };
}
