/** Plain text as it is read: what was written, what was quoted, and what leads somewhere. */

export interface Block {
  readonly quoted: boolean;
  readonly text: string;
}

const SAYS =
  /^(?:On |Le |Am |El |Il |Op ).{4,200}(?:wrote|écrit|schrieb|escribió|scritto|schreef)\s*:\s*$/i;

/** The text in runs of lines, quoted or not; the line that says who is quoted goes with the quotation. */
export function blocks(text: string): Block[] {
  const found: { quoted: boolean; lines: string[] }[] = [];
  const lines = text.replace(/\r\n?/g, "\n").replace(/\s+$/, "").split("\n");
  for (const line of lines) {
    const quoted = line.startsWith(">");
    const last = found.at(-1);
    if (last && (last.quoted === quoted || (last.quoted && !line.trim()))) {
      last.lines.push(line);
    } else {
      const next = { quoted, lines: [line] };
      if (quoted && last) next.lines.unshift(...taken(last.lines));
      found.push(next);
    }
  }
  return found
    .map(({ quoted, lines }) => ({ quoted, text: lines.join("\n").replace(/^\n+|\s+$/g, "") }))
    .filter((block) => block.text);
}

/** Take the line that introduces a quotation off the end of what is before it. */
function taken(before: string[]): string[] {
  let at = before.length - 1;
  while (at >= 0 && !before[at]?.trim()) at -= 1;
  for (const lines of [1, 2]) {
    const from = at - lines + 1;
    if (from >= 0 && SAYS.test(before.slice(from, at + 1).join(" "))) return before.splice(from);
  }
  return [];
}

export interface Piece {
  readonly text: string;
  /** Where it leads, where it does. */
  readonly href?: string;
}

const LINK =
  /\b(?:https?:\/\/[^\s<>"]+|www\.[^\s<>"]+\.[^\s<>"]+|[^\s<>@"(]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+)/giu;
/** What ends a sentence is no part of an address in it. */
const TAIL = /[.,;:!?'"»)\]}]+$/;

/** A text with the addresses in it found. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(LINK)) {
    const [whole] = match;
    let link = whole.replace(TAIL, "");
    // A bracket that was opened within the address belongs to it.
    if (whole[link.length] === ")" && link.includes("(")) link += ")";
    if (!link) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    const href = link.includes("://")
      ? link
      : link.includes("@")
        ? `mailto:${link}`
        : `https://${link}`;
    found.push({ text: link, href });
    at = match.index + link.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}
