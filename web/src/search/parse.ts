/** What is typed into the search box, in terms: words, phrases, and operators as `from:ann` or `-is:unread`.

    What no operator makes sense of is a word like any other: nothing that is typed is an error. */

export type Field = "from" | "to" | "cc" | "bcc" | "subject" | "body";
export type State = "unread" | "read" | "starred" | "unstarred" | "answered" | "draft";

export type Meaning =
  | { readonly kind: "text"; readonly value: string }
  | { readonly kind: Field; readonly value: string }
  | { readonly kind: "in" | "label"; readonly value: string }
  | { readonly kind: "is"; readonly value: State }
  | { readonly kind: "has"; readonly value: "attachment" }
  | { readonly kind: "before" | "after"; readonly value: string; readonly at: Date }
  | { readonly kind: "larger" | "smaller"; readonly value: string; readonly octets: number };

export interface Term {
  readonly meaning: Meaning;
  /** Messages that it is true of are left out. */
  readonly not: boolean;
  /** Where it stands in what was typed. */
  readonly start: number;
  readonly end: number;
}

/** Terms of which one must be true; all groups must be. */
export type Query = readonly (readonly Term[])[];

type Name = Exclude<Meaning["kind"], "text">;

/** Operators by what is typed, in English and French. */
export const OPERATORS: Readonly<Record<string, Name>> = {
  from: "from",
  de: "from",
  to: "to",
  à: "to",
  cc: "cc",
  bcc: "bcc",
  cci: "bcc",
  subject: "subject",
  objet: "subject",
  body: "body",
  texte: "body",
  in: "in",
  dans: "in",
  label: "label",
  libellé: "label",
  is: "is",
  est: "is",
  has: "has",
  avec: "has",
  before: "before",
  avant: "before",
  after: "after",
  après: "after",
  larger: "larger",
  "plus-grand": "larger",
  smaller: "smaller",
  "plus-petit": "smaller",
};

const STATES: Readonly<Record<string, State>> = {
  unread: "unread",
  "non-lu": "unread",
  read: "read",
  lu: "read",
  starred: "starred",
  suivi: "starred",
  unstarred: "unstarred",
  answered: "answered",
  répondu: "answered",
  draft: "draft",
  brouillon: "draft",
};
const ATTACHMENTS = ["attachment", "attachments", "pièce-jointe", "pièces-jointes"];

// A quote that is not closed is a letter, as a minus is that stands alone.
const QUOTED = String.raw`"(?:[^"\\]|\\.)*"`;
const TOKEN = new RegExp(
  String.raw`(-)?(?:(${Object.keys(OPERATORS).join("|")}):\s*)?(${QUOTED}|\S+)`,
  "giu",
);

/** The terms of a text. `now`: from when "7d" and "today" count. */
export function parse(text: string, now = new Date()): Query {
  const groups: Term[][] = [];
  let joins = false;
  for (const found of text.matchAll(TOKEN)) {
    const [whole, minus, operator, value = ""] = found;
    if (whole === "OR" || whole === "OU") {
      joins = groups.length > 0;
      continue;
    }
    const meaning = operator ? meant(operator, value, now) : undefined;
    const plain = minus ? whole.slice(1) : whole;
    const term: Term = {
      meaning: meaning ?? { kind: "text", value: plain },
      not: Boolean(minus),
      start: found.index,
      end: found.index + whole.length,
    };
    const last = groups.at(-1);
    if (joins && last) last.push(term);
    else groups.push([term]);
    joins = false;
  }
  return groups;
}

function meant(operator: string, given: string, now: Date): Meaning | undefined {
  const kind = OPERATORS[operator.toLowerCase()];
  const value = unquoted(given);
  if (!kind || !value) return undefined;
  const small = value.toLowerCase();
  switch (kind) {
    case "is": {
      const state = STATES[small];
      return state && { kind, value: state };
    }
    case "has":
      return ATTACHMENTS.includes(small) ? { kind, value: "attachment" } : undefined;
    case "before":
    case "after": {
      const at = dayOf(small, now);
      return at && { kind, value, at };
    }
    case "larger":
    case "smaller": {
      const octets = octetsOf(small);
      return octets === undefined ? undefined : { kind, value, octets };
    }
    case "in":
    case "label":
      return { kind, value };
    default:
      // A phrase stays one for the server.
      return { kind, value: given };
  }
}

/** A value without the quotes that held it together. */
export function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  return value.slice(1, -1).replace(/\\(["\\])/g, "$1");
}

/** A value that is one, whatever it holds. */
export function quoted(value: string): string {
  return /[\s"]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value;
}

const AGO = /^(\d{1,4})(d|w|m|y|j|s|a)$/;
const FORMS: readonly (readonly [RegExp, "ymd" | "dmy"])[] = [
  [/^(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?$/, "ymd"],
  [/^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$/, "dmy"],
];

/** The beginning of a day, by date or as how long ago: `2026-01-31`, `31/01/2026`, `2026-01`, `today`, `7d`. */
export function dayOf(text: string, now: Date): Date | undefined {
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  if (text === "today" || text === "aujourd'hui") return today;
  const ago = text === "yesterday" || text === "hier" ? ["", "1", "d"] : AGO.exec(text);
  if (ago) {
    const [, count = "0", unit = "d"] = ago;
    const n = Number(count);
    const day = new Date(today);
    if (unit === "d" || unit === "j") day.setDate(day.getDate() - n);
    else if (unit === "w" || unit === "s") day.setDate(day.getDate() - 7 * n);
    else if (unit === "m") day.setMonth(day.getMonth() - n);
    else day.setFullYear(day.getFullYear() - n);
    return day;
  }
  for (const [form, order] of FORMS) {
    const found = form.exec(text);
    if (!found) continue;
    const [, first = "", month = "1", last = "1"] = found;
    const [year, day] = order === "ymd" ? [first, last] : [last, first];
    const date = new Date(Number(year), Number(month) - 1, Number(day));
    // The 31st of a month that has none is no day.
    const real = date.getMonth() === Number(month) - 1 && date.getDate() === Number(day);
    return real && Number(year) >= 1970 ? date : undefined;
  }
  return undefined;
}

const SIZE = /^(\d{1,9}(?:[.,]\d{1,3})?)\s*(k|m|g|)(?:i?[bo])?$/;

/** Octets of a size: `500k`, `1.5M`, `2 Mo`; without a unit, octets. */
export function octetsOf(text: string): number | undefined {
  const found = SIZE.exec(text.toLowerCase());
  if (!found) return undefined;
  const [, count = "", unit = ""] = found;
  const factor = { "": 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 }[unit] ?? 1;
  return Math.round(Number(count.replace(",", ".")) * factor);
}

/** What was typed without one of its terms. */
export function without(text: string, term: Term): string {
  const [before, after] = [text.slice(0, term.start), text.slice(term.end)];
  // An OR that joins nothing any more goes with it.
  const left = before.replace(/(?:^|\s)(?:OR|OU)\s*$/u, "");
  const right = left === before ? after.replace(/^\s*(?:OR|OU)(?=\s|$)/u, "") : after;
  return `${left.trimEnd()} ${right.trimStart()}`.trim();
}
