/** What the search box offers: searches made before, and operators and their values as one types. */
import { type Known, plain } from "./filter.ts";
import { OPERATORS, quoted } from "./parse.ts";

export type Suggestion =
  /** A whole search that was made before. */
  | { readonly kind: "recent"; readonly text: string }
  /** What the word that is being typed may become; `text` is all of it then. */
  | { readonly kind: "operator"; readonly word: string; readonly text: string }
  | { readonly kind: "value"; readonly word: string; readonly text: string };

const OFFERED: Readonly<Record<string, readonly string[]>> = {
  en: [
    "from:",
    "to:",
    "subject:",
    "in:",
    "has:attachment",
    "is:unread",
    "is:starred",
    "before:",
    "after:",
    "larger:",
    "label:",
  ],
  fr: [
    "de:",
    "à:",
    "objet:",
    "dans:",
    "avec:pièce-jointe",
    "est:non-lu",
    "est:suivi",
    "avant:",
    "après:",
    "plus-grand:",
    "libellé:",
  ],
};
const VALUES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  en: {
    is: ["unread", "read", "starred", "answered", "draft"],
    has: ["attachment"],
    before: ["today", "7d", "1m", "1y"],
    after: ["today", "7d", "1m", "1y"],
    larger: ["1M", "5M", "20M"],
    smaller: ["100k", "1M"],
  },
  fr: {
    is: ["non-lu", "lu", "suivi", "répondu", "brouillon"],
    has: ["pièce-jointe"],
    before: ["aujourd'hui", "7j", "1m", "1a"],
    after: ["aujourd'hui", "7j", "1m", "1a"],
    larger: ["1M", "5M", "20M"],
    smaller: ["100k", "1M"],
  },
};
const MOST = 8;

/** What is offered for a text of which one stands at the end. */
export function suggestions(
  text: string,
  searches: readonly string[],
  locale: string,
  known: Known,
): Suggestion[] {
  const language = locale === "fr" ? "fr" : "en";
  const typed = text.trimStart();
  const [word = ""] = /\S*$/.exec(typed) ?? [];
  const before = text.slice(0, text.length - word.length);
  const [, minus = "", operator, value = ""] = /^(-?)(?:([\p{L}-]+):)?(.*)$/u.exec(word) ?? [];
  const kind = operator ? OPERATORS[operator.toLowerCase()] : undefined;
  if (kind) {
    const values = offeredValues(kind, language, known)
      .filter((one) => plain(one).startsWith(plain(value)) && one !== value)
      .map((one) => `${minus}${operator}:${quoted(one)}`);
    return values
      .slice(0, MOST)
      .map((one) => ({ kind: "value", word: one, text: `${before}${one} ` }));
  }
  const wanted = typed.trim().toLowerCase();
  const old = searches
    .filter((one) => one.toLowerCase().includes(wanted) && one.toLowerCase() !== wanted)
    .slice(0, wanted ? 3 : 5)
    .map((one): Suggestion => ({ kind: "recent", text: one }));
  const operators = (OFFERED[language] ?? [])
    .filter((one) => plain(one).startsWith(plain(value)))
    .map((one): Suggestion => {
      const whole = one.endsWith(":") ? one : `${one} `;
      return { kind: "operator", word: `${minus}${one}`, text: `${before}${minus}${whole}` };
    });
  // Of a word that begins no operator nothing is offered but searches.
  return [...old, ...operators].slice(0, MOST + 4);
}

function offeredValues(kind: string, language: string, known: Known): readonly string[] {
  if (kind === "in") {
    const all = language === "fr" ? "partout" : "anywhere";
    return [...known.mailboxes.map((one) => known.nameOf(one)), all];
  }
  if (kind === "label") return (known.labels ?? []).map(({ name }) => name);
  return VALUES[language]?.[kind] ?? [];
}
