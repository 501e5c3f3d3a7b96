/** What is written in the editor, as data: made of text, made into the text and the HTML that are sent. */

export interface Mark {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>> | undefined;
}

export interface Node {
  readonly type: string;
  readonly attrs?: Readonly<Record<string, unknown>> | undefined;
  readonly content?: readonly Node[] | undefined;
  readonly marks?: readonly Mark[] | undefined;
  readonly text?: string | undefined;
}

/** Colours of text: the name is what the editor shows, by theme; the value is what is sent, for white paper. */
export const COLOURS = {
  red: "#b3261e",
  orange: "#a85100",
  green: "#1d6a57",
  blue: "#1a56b8",
  purple: "#7a3ea8",
  grey: "#5f6660",
} as const;
export type Colour = keyof typeof COLOURS;

export const EMPTY: Node = { type: "doc", content: [{ type: "paragraph" }] };

/** A text as paragraphs, one a line. */
export function paragraphs(text: string): Node[] {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  return lines.map((line) =>
    line ? { type: "paragraph", content: [{ type: "text", text: line }] } : { type: "paragraph" },
  );
}

export function docOfText(text: string): Node {
  return { type: "doc", content: paragraphs(text) };
}

export function isEmpty(doc: Node): boolean {
  return !(doc.content ?? []).some((node) => node.type !== "signature" && hasContent(node));
}

function hasContent(node: Node): boolean {
  if (node.type === "picture" || node.type === "horizontalRule") return true;
  if (node.text?.trim()) return true;
  return (node.content ?? []).some(hasContent);
}

/** Content-IDs of the pictures in it. */
export function pictures(doc: Node): Set<string> {
  const found = new Set<string>();
  const look = (node: Node) => {
    if (node.type === "picture") found.add(String(node.attrs?.cid ?? ""));
    node.content?.forEach(look);
  };
  look(doc);
  return found;
}

// --- As text ------------------------------------------------------------------------------------------------

/** As plain text: what is quoted after `>`, lists with their signs, links with where they lead. */
export function textOf(doc: Node): string {
  return lines(doc)
    .map((line) => (line === "-- " ? line : line.trimEnd()))
    .join("\n")
    .replace(/\n{4,}/g, "\n\n\n")
    .replace(/^\n+(?=\S)/, "")
    .trimEnd();
}

function lines(node: Node): string[] {
  const below = () => (node.content ?? []).flatMap(lines);
  switch (node.type) {
    case "paragraph":
      return inlineText(node).split("\n");
    case "blockquote":
      return below().map(quoted);
    case "bulletList":
      return (node.content ?? []).flatMap((item) => hung(lines(item), "- "));
    case "orderedList": {
      const start = Number(node.attrs?.start ?? 1) || 1;
      return (node.content ?? []).flatMap((item, n) => hung(lines(item), `${start + n}. `));
    }
    case "horizontalRule":
      return ["---"];
    case "signature":
      return ["-- ", ...below()];
    default:
      return below();
  }
}

/** A line, quoted once more. */
export function quoted(line: string): string {
  return line.startsWith(">") ? `>${line}` : `> ${line}`.trimEnd();
}

const hung = (all: readonly string[], sign: string) =>
  all.map((line, n) => (n ? " ".repeat(sign.length) : sign) + line);

function inlineText(node: Node): string {
  let found = "";
  const content = node.content ?? [];
  for (const [n, one] of content.entries()) {
    if (one.type === "hardBreak") found += "\n";
    else if (one.type === "picture") found += `[${String(one.attrs?.alt || "…")}]`;
    else found += (one.text ?? "").replaceAll("\u00a0", " ");
    const href = linkOf(one);
    // A link of several pieces is said once, at its end.
    if (href && href !== linkOf(content[n + 1])) {
      const label = content
        .slice(0, n + 1)
        .filter((other) => linkOf(other) === href)
        .map((other) => other.text ?? "")
        .join("");
      if (!sameLink(label, href)) found += ` <${href}>`;
    }
  }
  return found;
}

function linkOf(node: Node | undefined): string {
  const link = node?.marks?.find((mark) => mark.type === "link");
  return String(link?.attrs?.href ?? "");
}

const bare = (text: string) =>
  text
    .trim()
    .replace(/^(?:https?:\/\/|mailto:)/i, "")
    .replace(/\/$/, "");
const sameLink = (label: string, href: string) => bare(label) === bare(href);

// --- As HTML ------------------------------------------------------------------------------------------------

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** A text as HTML, line by line. */
export function htmlOfText(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .split("\n")
    .map((line) => `<div>${line ? indented(spaces(escaped(line))) : "<br>"}</div>`)
    .join("");
}

/** Spaces that HTML would take together. */
const spaces = (text: string) =>
  text.replace(/ {2,}/g, (run) => `${"&nbsp;".repeat(run.length - 1)} `);
/** Where a line begins too. */
const indented = (html: string) => html.replace(/^ |(?<=<br>) /g, "&nbsp;");

export const QUOTE = "border-left:2px solid #c9c6bf;margin:0;padding-left:0.9em";

/** As HTML that every mail program shows alike: few tags, no classes but those by which it is found again. */
export function htmlOf(doc: Node): string {
  return (doc.content ?? []).map(block).join("");
}

function block(node: Node): string {
  const below = () => (node.content ?? []).map(block).join("");
  switch (node.type) {
    case "paragraph": {
      const inner = indented((node.content ?? []).map(inline).join(""));
      return `<div>${inner || "<br>"}</div>`;
    }
    case "blockquote":
      return `<blockquote style="${QUOTE}">${below()}</blockquote>`;
    case "bulletList":
      return `<ul>${below()}</ul>`;
    case "orderedList": {
      const start = Number(node.attrs?.start ?? 1);
      return `<ol${start > 1 ? ` start="${start}"` : ""}>${below()}</ol>`;
    }
    case "listItem": {
      const [first, ...rest] = node.content ?? [];
      // The usual item is one line, and needs no block of its own.
      const plain = first?.type === "paragraph" ? (first.content ?? []).map(inline).join("") : "";
      const head = first?.type === "paragraph" ? plain : first ? block(first) : "";
      return `<li>${head}${rest.map(block).join("")}</li>`;
    }
    case "horizontalRule":
      return "<hr>";
    case "signature":
      return `<div class="malleposte-signature">${below()}</div>`;
    default:
      return below();
  }
}

const TAGS: Readonly<Record<string, string>> = {
  bold: "b",
  italic: "i",
  underline: "u",
  strike: "s",
};

function inline(node: Node): string {
  if (node.type === "hardBreak") return "<br>";
  if (node.type === "picture") {
    const { cid, alt } = node.attrs ?? {};
    const words = escaped(String(alt ?? ""));
    return `<img src="cid:${escaped(String(cid ?? ""))}" alt="${words}" style="max-width:100%">`;
  }
  let html = spaces(escaped(node.text ?? "").replaceAll("\u00a0", "&nbsp;"));
  for (const mark of node.marks ?? []) {
    const tag = TAGS[mark.type];
    if (tag) html = `<${tag}>${html}</${tag}>`;
    else if (mark.type === "colour") {
      const value = COLOURS[String(mark.attrs?.name) as Colour];
      if (value) html = `<span style="color:${value}">${html}</span>`;
    } else if (mark.type === "link") {
      const href = String(mark.attrs?.href ?? "");
      if (/^(?:https?|mailto|tel):/i.test(href)) html = `<a href="${escaped(href)}">${html}</a>`;
    }
  }
  return html;
}
