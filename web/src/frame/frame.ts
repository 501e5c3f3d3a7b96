/** The page that shows a message. It is handed what the server sanitised, does so again, and tells how high it
    is and which keys were pressed. It has an origin of its own and no connections: nothing of the client or
    the session can be reached from here, whatever got in. */
import type { FromFrame, ToFrame } from "./index.ts";
import { sanitise } from "./sanitise.ts";

const mail = document.getElementById("mail");

// The client's origin cannot be named from here, and nothing told is a secret.
const tell = (message: FromFrame) => parent.postMessage(message, "*");

function measure(): void {
  if (mail) tell({ kind: "height", height: Math.ceil(mail.getBoundingClientRect().height) + 2 });
}

addEventListener("message", ({ source, data }: MessageEvent<ToFrame | undefined>) => {
  if (source !== parent || data?.kind !== "show" || !mail) return;
  const { html, remote } = sanitise(data.html);
  mail.innerHTML = html;
  tell({ kind: "shown", remote });
  measure();
});

if (mail) new ResizeObserver(measure).observe(mail);

addEventListener("keydown", ({ key, shiftKey, ctrlKey, metaKey, altKey }) => {
  if (!ctrlKey && !metaKey && !altKey) tell({ kind: "key", key, shiftKey });
});

tell({ kind: "ready" });
