/** The service worker: the client itself without a connection, and notices of new mail while no window is open.
    Mail is not its affair: what goes to /jmap/ and /auth/ goes past it. */
import { type Change, confirm, type Notice, newMail, type Verification } from "./push.ts";

declare const self: ServiceWorkerGlobalScope;
declare const __FILES__: readonly string[];
declare const __VERSION__: string;

const PREFIX = "client-";
const CACHE = PREFIX + __VERSION__;
/** First steps of paths that the server answers, and nobody else. */
const SERVER = /^\/(?:jmap|auth|dav|mail\/config|autodiscover|metrics|\.well-known)(?:\/|$|-)/i;

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      // Past the browser's own cache, but for names that change with their content.
      await cache.addAll(
        __FILES__.map((path) =>
          path.startsWith("/assets/") ? path : new Request(path, { cache: "reload" }),
        ),
      );
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
      }
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin || SERVER.test(pathname)) return;
  event.respondWith(found(request, pathname));
});

async function found(request: Request, pathname: string): Promise<Response> {
  const cache = await caches.open(CACHE);
  const page = request.mode === "navigate" && request.destination === "document";
  const kept = await cache.match(page ? "/" : pathname, { ignoreVary: true });
  if (kept) return kept;
  // A window of an older client asks for what only its own cache has.
  return (await caches.match(pathname, { ignoreVary: true })) ?? fetch(request);
}

// A new client waits until the windows of the old one are closed, or somebody wants it now.
self.addEventListener("message", (event) => {
  if (event.data === "now") void self.skipWaiting();
});

self.addEventListener("push", (event) => {
  event.waitUntil(pushed(event.data?.json() as Change | Verification | undefined));
});

async function pushed(message: Change | Verification | undefined): Promise<void> {
  if (message?.["@type"] === "PushVerification") {
    await confirm(message);
    return;
  }
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  // Who looks at the mail sees it come.
  if (windows.some((one) => one.visibilityState === "visible" && one.focused)) return;
  for (const notice of await newMail(self.navigator.language)) await show(notice);
}

function show({ title, body, tag, path }: Notice): Promise<void> {
  return self.registration.showNotification(title, {
    body,
    tag,
    icon: "/icon-192.png",
    badge: "/icon-192.png",
    data: { path },
  });
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { path } = event.notification.data as { path: string };
  event.waitUntil(
    (async () => {
      const [open] = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
      if (!open) await self.clients.openWindow(path);
      else {
        await open.focus();
        open.postMessage({ open: path });
      }
    })(),
  );
});
