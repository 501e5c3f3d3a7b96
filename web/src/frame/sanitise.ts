/** HTML of a message, which the server made safe, made so again: here the other side of the wall trusts nobody.
    It has no address that loads anything: pictures are numbers, handed in beside it. The policy of the frame,
    under which this runs, is the wall behind it. */
import DOMPurify, { type Config } from "dompurify";

const CONFIG: Config = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: [
    "style",
    "form",
    "input",
    "button",
    "select",
    "textarea",
    "dialog",
    "audio",
    "video",
    "source",
    "picture",
    "map",
    "area",
  ],
  FORBID_ATTR: [
    "src",
    "srcset",
    "background",
    "poster",
    "ping",
    "name",
    "class",
    "for",
    "usemap",
    "autofocus",
    "tabindex",
    "contenteditable",
    "popover",
    "popovertarget",
    "hidden",
    "slot",
    "is",
  ],
  ADD_ATTR: [
    "hspace",
    "vspace",
    "frame",
    "rules",
    "data-picture",
    "data-background",
    "data-quote",
    "data-warn",
    "target",
  ],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  // Every value is held against it, so that words pass; where links lead is looked at below.
  ALLOWED_URI_REGEXP: /^(?:(?:https?|mailto|tel):|[^a-z]|[a-z+.-]+(?:[^a-z+.\-:]|$))/i,
};

const LEADS = /^(?:https?:|mailto:|tel:|#m-)/i;
const LOADS = /url\s*\(|image|\\|@|expression|var\s*\(/i;
const MOVES = /^\s*(?:position|z-index|content|cursor|animation|transition|filter|transform)/i;

/** What may be put into the frame. */
export function sanitise(html: string): string {
  DOMPurify.removeAllHooks();
  DOMPurify.addHook("afterSanitizeAttributes", (node) => {
    if (node.tagName === "A") {
      node.setAttribute("target", "_blank");
      node.setAttribute("rel", "noopener noreferrer");
    }
    if (!LEADS.test(node.getAttribute("href") ?? "#m-")) node.removeAttribute("href");
    const id = node.getAttribute("id");
    if (id !== null && !id.startsWith("m-")) node.removeAttribute("id");
    const css = node.getAttribute("style");
    if (css && (LOADS.test(css) || MOVES.test(css) || css.includes(";"))) {
      const kept = css.split(";").filter((one) => !LOADS.test(one) && !MOVES.test(one));
      node.setAttribute("style", kept.join(";"));
    }
  });
  return DOMPurify.sanitize(html, CONFIG);
}
