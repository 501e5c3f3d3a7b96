/** HTML of others, made harmless before it comes near the editor or is sent on. It is parsed in a document of its
    own, where nothing is loaded or run; what comes out has neither scripts nor anything that fetches by itself. */
import DOMPurify, { type Config } from "dompurify";
import { COLOURS } from "./doc.ts";
import { pieces } from "./tags.ts";

/** Where styles wait while a text is parsed: the page's policy would strike them out, with a complaint each. */
const ASIDE = "data-style";
/** Likewise what would run. */
const NAMES = /([\s"'/])(?:(style)(?=\s*=)|on(?=[a-z]+\s*=))/gi;
/** Of HTML that is quoted or pasted, what is looked at. */
const MOST = 1_500_000;

const FORBIDDEN: Config = {
  USE_PROFILES: { html: true },
  FORBID_TAGS: (
    "style form input button select textarea option dialog audio video source track picture template " +
    "noscript object embed iframe meta link base title map area"
  ).split(" "),
  FORBID_ATTR:
    "style class id srcset background poster ping autofocus tabindex contenteditable name usemap is slot".split(
      " ",
    ),
  ALLOW_DATA_ATTR: false,
  ADD_ATTR: [ASIDE, "data-signature", "data-colour", "data-pm-slice"],
  RETURN_DOM_FRAGMENT: true,
};

const LINKS = /^(?:https?|mailto|tel):/i;
const PICTURES = /^(?:https?:|cid:|data:image\/(?:png|jpe?g|gif|webp);)/i;
const KEPT_STYLES = new RegExp(
  "^(?:color|background-color|font-(?:weight|style|size|family|variant)|text-(?:decoration(?:-line)?|align|" +
    "indent|transform)|vertical-align|white-space(?:-collapse)?|(?:max-|min-)?(?:width|height)|line-height|" +
    "(?:margin|padding)(?:-\\w+)*|border(?:-\\w+)*|list-style-type|direction|text-wrap-mode)$",
);

function aside(html: string): string {
  let found = "";
  let sheet = false;
  for (const { tag, text } of pieces(html.slice(0, MOST))) {
    // A sheet of styles is taken out before: it too would be complained of, and then thrown away.
    if (tag && /^<\/?style\b/i.test(text)) sheet = text[1] !== "/";
    else if (!sheet)
      found += tag
        ? text.replace(NAMES, (_, before, name) => before + (name ? ASIDE : "data-on"))
        : text;
  }
  return found;
}

function parsed(html: string, each: (element: HTMLElement) => void): DocumentFragment {
  DOMPurify.removeAllHooks();
  DOMPurify.addHook("afterSanitizeAttributes", (node) => {
    const element = node as HTMLElement;
    const href = element.getAttribute("href");
    if (href && !LINKS.test(href.trim())) element.removeAttribute("href");
    const source = element.getAttribute("src");
    if (source && !PICTURES.test(source.trim())) element.removeAttribute("src");
    each(element);
  });
  try {
    return DOMPurify.sanitize(aside(html), FORBIDDEN) as unknown as DocumentFragment;
  } finally {
    DOMPurify.removeAllHooks();
  }
}

function serial(fragment: DocumentFragment): string {
  const holder = fragment.ownerDocument.createElement("div");
  holder.append(fragment);
  return holder.innerHTML;
}

/** To be quoted: it looks as it did, as far as mail programs agree on it. `pictures`: of the message itself,
    which go on with it; else their words stand for them. */
export function clean(html: string, pictures = true): string {
  const fragment = parsed(html, (element) => {
    const css = element.getAttribute(ASIDE);
    element.removeAttribute(ASIDE);
    if (css) restyle(element, css);
    if (
      element.tagName === "IMG" &&
      !pictures &&
      /^cid:/i.test(element.getAttribute("src") ?? "")
    ) {
      element.replaceWith(element.getAttribute("alt") || "");
    }
  });
  return serial(fragment);
}

function restyle(element: HTMLElement, css: string): void {
  const given = element.ownerDocument.createElement("i").style;
  given.cssText = css.slice(0, 4_000);
  const kept: string[] = [];
  for (const name of given) {
    const value = given.getPropertyValue(name);
    if (KEPT_STYLES.test(name) && !/url|image|expression|[\\@]/i.test(value)) {
      kept.push(`${name}:${value}`);
    }
  }
  // By way of the object: an attribute is what the policy forbids.
  if (kept.length) element.style.cssText = kept.join(";");
}

const BY_COLOUR = new Map<string, string>(
  Object.entries(COLOURS).map(([name, hex]) => {
    const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
    return [`rgb(${red}, ${green}, ${blue})`, name];
  }),
);

/** For the editor: what it knows, as tags; styles that mean something have become some. `picture`: told of each
    picture that is within the text itself; what it answers is the picture's Content-ID. */
export function simple(html: string, picture?: (data: string, alt: string) => string): string {
  return serial(simpleFragment(html, picture));
}

export function simpleFragment(
  html: string,
  picture?: (data: string, alt: string) => string,
): DocumentFragment {
  const fragment = parsed(html, (element) => {
    const css = element.getAttribute(ASIDE);
    element.removeAttribute(ASIDE);
    if (element.tagName === "IMG") {
      const source = element.getAttribute("src") ?? "";
      const alt = element.getAttribute("alt") ?? "";
      if (/^data:/i.test(source) && picture)
        element.setAttribute("src", `cid:${picture(source, alt)}`);
      else if (!/^cid:/i.test(source)) element.replaceWith(alt);
      return;
    }
    if (css) tagged(element, css);
  });
  lined(fragment);
  return fragment;
}

const BLOCKS =
  "address,article,blockquote,center,dd,div,dl,dt,figure,h1,h2,h3,h4,h5,h6,hr,li,ol,p,pre,section,table,ul";

/** Each line of mail is a <div>, and an empty one has a <br> to be seen: both are paragraphs. */
function lined(fragment: DocumentFragment): void {
  for (const element of fragment.querySelectorAll("div,p")) {
    const last = element.lastChild;
    if (last?.nodeName === "BR") last.remove();
    if (element.tagName === "P" || element.hasAttribute("data-signature")) continue;
    if (element.querySelector(BLOCKS)) continue;
    const paragraph = fragment.ownerDocument.createElement("p");
    paragraph.append(...element.childNodes);
    element.replaceWith(paragraph);
  }
}

/** Styles that mean something, as tags within the element. */
function tagged(element: HTMLElement, css: string): void {
  const given = element.ownerDocument.createElement("i").style;
  given.cssText = css.slice(0, 4_000);
  const weight = given.fontWeight;
  const line = `${given.textDecoration} ${given.textDecorationLine}`;
  const colour = BY_COLOUR.get(given.color);
  // Google's pages wrap all of what they copy in a <b> that is not meant.
  if (/^(?:B|STRONG)$/.test(element.tagName) && /^(?:normal|400)$/.test(weight)) {
    const plain = element.ownerDocument.createElement("span");
    plain.append(...element.childNodes);
    element.replaceWith(plain);
    return;
  }
  if (/^H[1-6]$|^A$/.test(element.tagName)) return;
  if (weight === "bold" || Number(weight) >= 600) wrap(element, "b");
  if (given.fontStyle === "italic") wrap(element, "i");
  if (/underline/.test(line)) wrap(element, "u");
  if (/line-through/.test(line)) wrap(element, "s");
  if (colour) wrap(element, "span").setAttribute("data-colour", colour);
}

function wrap(element: HTMLElement, tag: string): HTMLElement {
  const within = element.ownerDocument.createElement(tag);
  within.append(...element.childNodes);
  element.append(within);
  return within;
}

interface Policies {
  readonly defaultPolicy: unknown;
  createPolicy(name: string, rules: { createHTML: (text: string) => string }): unknown;
}

/** The editor makes markup of text by itself, of what is pasted: whatever it makes is sanitised. */
export function guardEditor(): void {
  const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  if (!policies || policies.defaultPolicy) return;
  policies.createPolicy("default", { createHTML: (text) => simple(text) });
}
