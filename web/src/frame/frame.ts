/** The page that shows a message. It is handed what the server sanitised, does so again, and tells how high it
    is and which keys were pressed. It has an origin of its own and no connections: nothing of the client or
    the session can be reached from here, whatever got in. */
import { darken, isDesigned } from "./colours.ts";
import type { FromFrame, Heading, ToFrame } from "./index.ts";
import { place } from "./pictures.ts";
import { fold } from "./quotes.ts";
import { sanitise } from "./sanitise.ts";

/** As much as a message that is wider than its place is made smaller; the rest is scrolled. */
const SMALLEST = 0.6;

const mail = document.getElementById("mail");
const head = document.getElementById("head");
const placing = new Set<Promise<void>>();

// The client's origin cannot be named from here, and nothing told is a secret.
const tell = (message: FromFrame) => parent.postMessage(message, "*");

function measure(): void {
  if (!mail) return;
  mail.style.zoom = "1";
  const room = mail.clientWidth;
  const ratio = mail.scrollWidth > room + 1 ? room / mail.scrollWidth : 1;
  if (ratio < 1) mail.style.zoom = String(Math.max(SMALLEST, ratio));
  tell({ kind: "height", height: Math.ceil(document.body.getBoundingClientRect().height) + 2 });
}

function show(message: Extract<ToFrame, { kind: "show" }>): void {
  if (!mail) return;
  mail.innerHTML = sanitise(message.html);
  const designed = isDesigned(mail);
  const dark = message.dark && !designed;
  document.documentElement.toggleAttribute("data-dark", dark);
  if (dark) darken(mail);
  if (message.heading) title(message.heading);
  else fold(mail, message.fold);
  tell({ kind: "shown", designed });
  measure();
}

function title({ subject, lines }: Heading): void {
  if (!head) return;
  document.title = subject;
  const heading = document.createElement("h1");
  heading.textContent = subject;
  const list = document.createElement("dl");
  for (const [label, value] of lines) {
    const term = document.createElement("dt");
    term.textContent = label;
    const words = document.createElement("dd");
    words.textContent = value;
    list.append(term, words);
  }
  head.replaceChildren(heading, list);
}

addEventListener("message", ({ source, data }: MessageEvent<ToFrame | undefined>) => {
  if (source !== parent || !mail) return;
  switch (data?.kind) {
    case "show":
      show(data);
      break;
    case "picture": {
      const placed = place(mail, data.number, data.content).then(measure);
      placing.add(placed);
      void placed.finally(() => placing.delete(placed));
      break;
    }
    case "print":
      void Promise.all(placing).then(() => print());
  }
});

/** A link that says another place than it leads to is asked about by the page; one within goes nowhere else. */
function followed(event: MouseEvent): void {
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link) return;
  const href = link.getAttribute("href") ?? "";
  if (href.startsWith("#")) {
    event.preventDefault();
    const to = document.getElementById(href.slice(1));
    if (to) tell({ kind: "within", top: Math.round(to.getBoundingClientRect().top) });
    return;
  }
  const leads = link.getAttribute("data-warn");
  if (leads === null) return;
  event.preventDefault();
  tell({ kind: "link", href, says: (link.textContent ?? "").trim().slice(0, 200), leads });
}
addEventListener("afterprint", () => tell({ kind: "printed" }));
addEventListener("click", followed);
addEventListener("auxclick", followed);

if (mail) new ResizeObserver(measure).observe(document.documentElement);
if (mail) new ResizeObserver(measure).observe(document.body);

addEventListener("keydown", ({ key, shiftKey, ctrlKey, metaKey, altKey }) => {
  if (!ctrlKey && !metaKey && !altKey) tell({ kind: "key", key, shiftKey });
});

tell({ kind: "ready" });
