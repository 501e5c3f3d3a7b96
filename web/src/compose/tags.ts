/** HTML cut into tags and what is between them, in one go however it is broken. */

export interface Piece {
  readonly tag: boolean;
  readonly text: string;
}

export function* pieces(html: string): Generator<Piece> {
  let at = 0;
  while (at < html.length) {
    const open = html.indexOf("<", at);
    if (open < 0) break;
    const end = endOf(html, open);
    if (end === open) {
      // A sign like any other.
      yield { tag: false, text: html.slice(at, open + 1) };
      at = open + 1;
      continue;
    }
    if (open > at) yield { tag: false, text: html.slice(at, open) };
    yield { tag: true, text: html.slice(open, end) };
    at = end;
  }
  if (at < html.length) yield { tag: false, text: html.slice(at) };
}

/** Where the tag that begins at `open` ends; `open` itself where none begins. */
function endOf(html: string, open: number): number {
  if (html.startsWith("<!--", open)) {
    const end = html.indexOf("-->", open + 4);
    return end < 0 ? html.length : end + 3;
  }
  if (!/[a-z/!?]/i.test(html[open + 1] ?? "")) return open;
  let quote = "";
  for (let at = open + 1; at < html.length; at++) {
    const letter = html[at] ?? "";
    if (quote) {
      if (letter === quote) quote = "";
    } else if (letter === ">") return at + 1;
    else if ((letter === '"' || letter === "'") && /[=\s]/.test(html[at - 1] ?? "")) quote = letter;
  }
  return html.length;
}
