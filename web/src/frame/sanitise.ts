/** HTML of a message, made harmless. What would be fetched from elsewhere is taken out: to open a message is to
    tell nobody. The policy of the frame, under which this runs, is the wall behind it. */
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
  ],
  FORBID_ATTR: [
    "srcset",
    "background",
    "poster",
    "ping",
    "id",
    "class",
    "autofocus",
    "tabindex",
    "contenteditable",
  ],
  ALLOW_DATA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?|mailto|tel|cid|data:image\/(?:png|jpe?g|gif|webp);)/i,
};

export interface Sanitised {
  readonly html: string;
  /** Pictures that would have been fetched from elsewhere. */
  readonly remote: number;
}

export function sanitise(html: string): Sanitised {
  let remote = 0;
  DOMPurify.removeAllHooks();
  DOMPurify.addHook("afterSanitizeAttributes", (node) => {
    if (node.tagName === "A" || node.tagName === "AREA") {
      node.setAttribute("target", "_blank");
      node.setAttribute("rel", "noopener noreferrer");
    }
    const source = node.getAttribute("src");
    if (source && !/^(?:data|cid):/i.test(source)) {
      remote += 1;
      node.removeAttribute("src");
    }
    const css = node.getAttribute("style");
    if (css && /url\s*\(|\\|@import|expression|position\s*:\s*(?:fixed|sticky)/i.test(css)) {
      if (/url\s*\(/i.test(css)) remote += 1;
      node.setAttribute(
        "style",
        css
          .split(";")
          .filter((one) => !/url\s*\(|\\|@import|expression|position\s*:/i.test(one))
          .join(";"),
      );
    }
  });
  return { html: DOMPurify.sanitize(html, CONFIG), remote };
}
