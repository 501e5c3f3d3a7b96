/** A snippet of the server (RFC 8621 §5) in runs of text: what is marked in it, and what is not. */

export interface Run {
  readonly text: string;
  readonly marked: boolean;
}

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  amp: "&",
  quot: '"',
  apos: "'",
};

/** The runs of a snippet. Nothing in it is taken for markup but `<mark>`. */
export function runs(html: string): Run[] {
  const found: Run[] = [];
  let marked = false;
  for (const piece of html.split(/(<\/?mark>)/)) {
    if (piece === "<mark>" || piece === "</mark>") marked = piece === "<mark>";
    else if (piece) found.push({ text: unescaped(piece), marked });
  }
  return found;
}

function unescaped(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,5}));/gi,
    (whole, hex, decimal, name) => {
      if (name) return ENTITIES[name.toLowerCase()] ?? whole;
      const code = hex ? Number.parseInt(hex, 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Characters before what was found that a row of a list has room for. */
const BEFORE = 24;

/** The runs from shortly before the first that is marked, from the beginning of a word. */
export function near(found: readonly Run[]): Run[] {
  const at = found.findIndex(({ marked }) => marked);
  const before = found
    .slice(0, Math.max(at, 0))
    .map(({ text }) => text)
    .join("");
  if (before.length <= BEFORE) return [...found];
  const cut = before.slice(-BEFORE).replace(/^\S*\s/, "");
  return [{ text: `…${cut}`, marked: false }, ...found.slice(at)];
}
