/** Searches in the reader's words: what an operator is for, and what a term of one asks. */
import { msg } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { i18n } from "../i18n/index.ts";
import { type Meaning, OPERATORS, parse, type Term, unquoted } from "../search/index.ts";

/** What operators are for, by what they mean. */
const EXPLAINED = {
  from: msg`who wrote it`,
  to: msg`who it went to`,
  cc: msg`who got a copy`,
  bcc: msg`who got a hidden copy`,
  subject: msg`words of its subject`,
  body: msg`words of its text`,
  in: msg`which folder it is in`,
  label: msg`which label it has`,
  has: msg`with files attached`,
  before: msg`before a day, as 2026-01-31 or 7d ago`,
  after: msg`since a day, as 2026-01-31 or 7d ago`,
  larger: msg`of a size or more, as 5M`,
  smaller: msg`of less than a size, as 100k`,
} as const;

export function useExplained(): (word: string) => string {
  const { i18n } = useLingui();
  const said = useTermWords();
  const words = (word: string) => parse(word).flat().map(said).join();
  return (word) => {
    const [operator = ""] = word.replace(/^-/, "").split(":");
    const kind = OPERATORS[operator.toLowerCase()];
    if (kind === "is") return words(word);
    return kind ? i18n._(EXPLAINED[kind]) : "";
  };
}

/** A term as a chip says it. */
export function useTermWords(): (term: Term) => string {
  const { t } = useLingui();

  function words(meaning: Meaning): string {
    const value = unquoted(meaning.value);
    switch (meaning.kind) {
      case "text":
        return meaning.value;
      case "from":
        return t`From: ${value}`;
      case "to":
        return t`To: ${value}`;
      case "cc":
        return t`Cc: ${value}`;
      case "bcc":
        return t`Bcc: ${value}`;
      case "subject":
        return t`Subject: ${value}`;
      case "body":
        return t`Text: ${value}`;
      case "in":
        return t`In: ${value}`;
      case "label":
        return t`Label: ${value}`;
      case "has":
        return t`With attachments`;
      case "is":
        return {
          unread: t`Unread`,
          read: t({ message: "Read", context: "state of a message" }),
          starred: t`Starred`,
          unstarred: t`Not starred`,
          answered: t`Answered`,
          draft: t`Draft`,
        }[meaning.value];
      case "before": {
        const date = dayOf(meaning.at);
        return t`Before ${date}`;
      }
      case "after": {
        const date = dayOf(meaning.at);
        return t`Since ${date}`;
      }
      case "larger":
        return t`At least ${value}`;
      case "smaller":
        return t`Less than ${value}`;
    }
  }

  return ({ meaning, not }) => {
    const said = words(meaning);
    return not ? t`Not: ${said}` : said;
  };
}

/** A day as the reader's country writes it. */
function dayOf(at: Date): string {
  const own = navigator.languages.find((tag) => tag.startsWith(i18n.locale)) ?? i18n.locale;
  return new Intl.DateTimeFormat(own, { day: "numeric", month: "short", year: "numeric" }).format(
    at,
  );
}
