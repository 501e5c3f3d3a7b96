/** The text of HTML, for the plain half of a message and for quoting one that has no other. A reader of tags
    without a document: what it is given is hostile, and nothing of it is to be loaded or run. */
import { unescaped } from "./entities.ts";
import { pieces } from "./tags.ts";

const MOST = 2_000_000;
const NAME = /^<(\/?)([a-z][a-z0-9:-]*)/i;
const SILENT = new Set("style script title head template noscript textarea select".split(" "));
const BLOCKS = new Set(
  (
    "address article aside center dd div dl dt fieldset figure footer form header li main nav section tr " +
    "p h1 h2 h3 h4 h5 h6 blockquote ul ol table pre"
  ).split(" "),
);
/** What stands apart by an empty line. */
const APART = new Set("p h1 h2 h3 h4 h5 h6 blockquote ul ol table pre".split(" "));

class Text {
  readonly #lines: string[] = [];
  #line: string[] = [];
  /** The last sign of the line, so that it is put together once. */
  #last = "";
  #depth = 0;

  say(text: string): void {
    this.put(this.#last === " " || !this.#last ? text.trimStart() : text);
  }

  /** As it stands, spaces too. */
  put(text: string): void {
    if (!text) return;
    this.#line.push(text);
    this.#last = text.at(-1) ?? "";
  }

  /** The line ends, where there is one. */
  end(): void {
    if (this.#line.some((text) => text.trim())) this.force();
    else this.#clear();
  }

  force(): void {
    const signs = ">".repeat(this.#depth) + (this.#depth ? " " : "");
    this.#lines.push((signs + this.#line.join("")).trimEnd());
    this.#clear();
  }

  #clear(): void {
    this.#line = [];
    this.#last = "";
  }

  /** An empty line between what was and what comes. */
  apart(): void {
    this.end();
    const last = this.#lines.at(-1);
    if (last !== undefined && !/^[>\s]*$/.test(last)) this.force();
  }

  deeper(by: 1 | -1): void {
    this.#depth = Math.min(20, Math.max(0, this.#depth + by));
  }

  whole(): string {
    this.end();
    const lines = this.#lines;
    while (lines.length && /^[>\s]*$/.test(lines.at(-1) ?? "")) lines.pop();
    const text = lines.join("\n");
    return text.replace(/\n{3,}/g, "\n\n").replace(/^\n+/, "");
  }

  /** Apart from what is before it in the line. */
  space(): void {
    if (this.#last && this.#last !== " ") this.put(" ");
  }
}

/** Its text: blocks as lines, lists with signs, quotations after `>`, links with where they lead. */
export function htmlText(html: string): string {
  const found = new Text();
  let silent = "";
  let pre = 0;
  const lists: number[] = [];
  let link: { href: string; label: string } | undefined;
  for (const piece of pieces(html.slice(0, MOST))) {
    if (!piece.tag) {
      if (silent) continue;
      const words = unescaped(piece.text);
      if (link) link.label += words;
      if (pre) {
        const [first = "", ...rest] = words.split(/\r\n?|\n/);
        found.put(first);
        for (const line of rest) {
          found.force();
          found.put(line);
        }
      } else found.say(words.replace(/[ \t\r\n\f\u00a0]+/g, " "));
      continue;
    }
    const [whole = "", slash, name] = NAME.exec(piece.text) ?? [];
    const tag = name?.toLowerCase();
    if (!tag) continue;
    const ends = slash === "/";
    const attributes = piece.text.slice(whole.length, -1);
    if (silent) {
      if (ends && tag === silent) silent = "";
      continue;
    }
    if (SILENT.has(tag)) {
      if (!ends && !attributes.endsWith("/")) silent = tag;
      continue;
    }
    if (tag === "blockquote" && ends) {
      found.end();
      found.deeper(-1);
      found.apart();
    } else if (
      APART.has(tag) &&
      !(tag === "ul" || tag === "ol" ? lists.length > (ends ? 1 : 0) : false)
    ) {
      found.apart();
    } else if (BLOCKS.has(tag)) found.end();
    switch (tag) {
      case "br":
        found.force();
        break;
      case "hr":
        found.end();
        found.put("---");
        found.end();
        break;
      case "blockquote":
        if (!ends) found.deeper(1);
        break;
      case "pre":
        pre = Math.max(0, pre + (ends ? -1 : 1));
        break;
      case "ul":
      case "ol":
        if (ends) lists.pop();
        else lists.push(tag === "ol" ? 1 : 0);
        break;
      case "li":
        if (!ends) {
          const at = lists.length - 1;
          const number = lists[at] ?? 0;
          found.put("  ".repeat(Math.max(0, at)) + (number ? `${number}. ` : "- "));
          if (number) lists[at] = number + 1;
        }
        break;
      case "td":
      case "th":
        found.space();
        break;
      case "img": {
        const alt = unescaped(attribute(attributes, "alt")).trim();
        if (alt) found.say(`[${alt}]`);
        break;
      }
      case "a":
        if (!ends) link = { href: unescaped(attribute(attributes, "href")).trim(), label: "" };
        else if (link) {
          if (leads(link)) found.put(` <${link.href}>`);
          link = undefined;
        }
    }
  }
  return found.whole();
}

/** Whether a link says more than its words do. */
function leads({ href, label }: { href: string; label: string }): boolean {
  const bare = (text: string) =>
    text
      .trim()
      .replace(/^(?:https?:\/\/|mailto:)/i, "")
      .replace(/\/$/, "");
  return /^(?:https?|mailto|tel):\S{1,500}$/i.test(href) && bare(label) !== bare(href);
}

function attribute(attributes: string, name: string): string {
  const found = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(
    attributes,
  );
  return found?.[1] ?? found?.[2] ?? found?.[3] ?? "";
}
