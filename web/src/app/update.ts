/** The service worker: put in its place, and what is to be done when a newer client waits. */
import { go, placeOf } from "../route/index.ts";
import { Signal } from "../store/index.ts";

/** Told when a newer client is there and waits. */
class Newer extends Signal {
  #waiting: ServiceWorker | undefined;

  get there(): boolean {
    return this.#waiting !== undefined;
  }

  /** Have it now; the page is loaded anew. */
  take(): void {
    navigator.serviceWorker.addEventListener("controllerchange", () => location.reload(), {
      once: true,
    });
    this.#waiting?.postMessage("now");
  }

  wait(worker: ServiceWorker): void {
    this.#waiting = worker;
    this.tell();
  }
}

export const newer = new Newer();
const EVERY = 3_600_000;

const SCRIPT = "/sw.js";

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL: (url: string) => string },
  ): { createScriptURL(url: string): string };
}

/** The one script that may be named here; the policy of the page lets no plain text do so. */
function trustedScript(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  const rules = { createScriptURL: () => SCRIPT };
  return trustedTypes?.createPolicy("malleposte", rules).createScriptURL(SCRIPT) ?? SCRIPT;
}

/** After the first load, which it would only slow down. */
export function startWorker(): void {
  if (!("serviceWorker" in navigator)) return;
  const start = () => void register().catch(() => undefined);
  if (document.readyState === "complete") start();
  else addEventListener("load", start, { once: true });
}

async function register(): Promise<void> {
  const { serviceWorker } = navigator;
  // A notice of new mail was pressed.
  serviceWorker.addEventListener("message", ({ data }: MessageEvent<{ open?: unknown }>) => {
    if (typeof data?.open === "string") go(placeOf(data.open));
  });
  const registration = await serviceWorker.register(trustedScript());
  const look = () => {
    const { waiting } = registration;
    // Without a worker in charge it is the first, and nothing is older.
    if (waiting && serviceWorker.controller) newer.wait(waiting);
  };
  look();
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", look);
  });
  // A window may be open for weeks.
  setInterval(() => void registration.update().catch(() => undefined), EVERY);
}
