/** Terms as a filter of JMAP (RFC 8621 §4.4.1). */
import type { Filter, Id, Mailbox } from "../jmap/index.ts";
import { type Meaning, parse, type Query, type State, type Term } from "./parse.ts";

/** What names in a search are looked up among. */
export interface Known {
  readonly mailboxes: readonly Mailbox[];
  /** The name of a mailbox as it is shown. */
  readonly nameOf: (mailbox: Mailbox) => string;
  /** Labels by keyword. */
  readonly labels?: readonly { readonly id: Id; readonly name: string }[];
}

/** Everything, junk and what was thrown away with it. */
const ANYWHERE = ["anywhere", "all", "partout", "tout"];

const STATES: Readonly<Record<State, Filter>> = {
  unread: { notKeyword: "$seen" },
  read: { hasKeyword: "$seen" },
  starred: { hasKeyword: "$flagged" },
  unstarred: { notKeyword: "$flagged" },
  answered: { hasKeyword: "$answered" },
  draft: { hasKeyword: "$draft" },
};

/** The mailbox that a name means: by role, by its name as it is shown, by its own, or by the path to it. */
export function mailboxNamed(name: string, known: Known): Mailbox | undefined {
  const wanted = plain(name);
  const { mailboxes, nameOf } = known;
  const paths = (one: Mailbox): string => {
    const above = one.parentId ? mailboxes.find(({ id }) => id === one.parentId) : undefined;
    return above ? `${paths(above)}/${plain(one.name)}` : plain(one.name);
  };
  const ways: readonly ((one: Mailbox) => string)[] = [
    (one) => one.role ?? "",
    (one) => plain(nameOf(one)),
    (one) => plain(one.name),
    paths,
  ];
  for (const way of ways) {
    const found = mailboxes.find((one) => way(one) === wanted);
    if (found) return found;
  }
  return undefined;
}

/** A name as it is compared: in any case, with or without accents. */
export function plain(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().trim();
}

/** Whether a search says itself where it looks. */
export function saysWhere(query: Query): boolean {
  return query.some((group) => group.some(({ meaning, not }) => meaning.kind === "in" && !not));
}

/** The filter of a search. Junk and trash are looked through only where a folder is named. */
export function filterOf(query: Query, known: Known): Filter {
  const conditions: Filter[] = [];
  const words: string[] = [];
  for (const group of query) {
    const [first, ...others] = group;
    if (!first) continue;
    if (!others.length && first.meaning.kind === "text" && !first.not) {
      words.push(first.meaning.value);
      continue;
    }
    const parts = group.map((term) => ofTerm(term, known)).filter((one) => one !== undefined);
    const [only] = parts;
    if (parts.length > 1) conditions.push({ operator: "OR", conditions: parts });
    else if (only) conditions.push(only);
  }
  if (words.length) conditions.unshift({ text: words.join(" ") });
  if (!saysWhere(query)) {
    const left = known.mailboxes.filter(({ role }) => role === "junk" || role === "trash");
    if (left.length) conditions.push({ inMailboxOtherThan: left.map(({ id }) => id) });
  }
  const [only] = conditions;
  return conditions.length === 1 && only ? only : { operator: "AND", conditions };
}

function ofTerm({ meaning, not }: Term, known: Known): Filter | undefined {
  const filter = ofMeaning(meaning, known);
  return filter && not ? { operator: "NOT", conditions: [filter] } : filter;
}

function ofMeaning(meaning: Meaning, known: Known): Filter | undefined {
  switch (meaning.kind) {
    case "in": {
      if (ANYWHERE.includes(plain(meaning.value))) return undefined;
      const mailbox = mailboxNamed(meaning.value, known);
      // Nothing is in a folder that is not there.
      return mailbox ? { inMailbox: mailbox.id } : { operator: "OR", conditions: [] };
    }
    case "label": {
      const wanted = plain(meaning.value);
      const label = known.labels?.find(({ id, name }) => plain(name) === wanted || id === wanted);
      return { hasKeyword: label?.id ?? meaning.value.toLowerCase().replace(/[^\w$-]/g, "_") };
    }
    case "is":
      return STATES[meaning.value];
    case "has":
      return { hasAttachment: true };
    case "before":
    case "after":
      return { [meaning.kind]: meaning.at.toISOString().replace(/\.\d+Z$/, "Z") };
    case "larger":
      return { minSize: meaning.octets };
    case "smaller":
      return { maxSize: meaning.octets };
    default:
      return { [meaning.kind]: meaning.value };
  }
}

/** The filter of what was typed. */
export function search(text: string, known: Known, now?: Date): Filter {
  return filterOf(parse(text, now), known);
}
