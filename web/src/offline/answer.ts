/** Answers what is asked for reading from the shelf, as the server would: lists of a mailbox or of a word, rows,
    conversations, texts. What it cannot answer it does not. */
import type { Email, EmailBody, Filter, Id, Invocation } from "../jmap/index.ts";
import type { Shelf } from "./shelf.ts";

/** The state of lists that were answered here: the server knows no changes since, so that they are looked up anew. */
export const OFFLINE = "offline";

type Args = Readonly<Record<string, unknown>>;

/** Answers to all calls; undefined where one of them is beyond what is here. */
export async function answered(
  calls: readonly Invocation[],
  shelf: Shelf,
): Promise<Invocation[] | undefined> {
  const answers: Invocation[] = [];
  for (const [name, given, id] of calls) {
    const args = resolved(given as Args, answers);
    const answer = args && (await METHODS[name]?.(args, shelf));
    if (!answer) return undefined;
    answers.push([name, answer, id]);
  }
  return answers;
}

const METHODS: Readonly<Record<string, (args: Args, shelf: Shelf) => Promise<object | undefined>>> =
  {
    "Email/query": query,
    "Email/get": emails,
    "Thread/get": threads,
  };

async function query(args: Args, shelf: Shelf): Promise<object | undefined> {
  const sort = (args.sort ?? []) as { property?: string; isAscending?: boolean }[];
  if (sort.length !== 1 || sort[0]?.property !== "receivedAt") return undefined;
  const matches = matcher(args.filter as Filter | undefined);
  if (!matches) return undefined;
  const found = (await shelf.rows()).filter(matches);
  found.sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1));
  if (sort[0].isAscending) found.reverse();
  const seen = new Set<Id>();
  const ids = found
    .filter(({ threadId }) => !args.collapseThreads || (!seen.has(threadId) && seen.add(threadId)))
    .map(({ id }) => id);
  const position = Number(args.position ?? 0);
  return {
    queryState: OFFLINE,
    canCalculateChanges: true,
    position,
    ids: ids.slice(position, position + Number(args.limit ?? ids.length)),
    total: ids.length,
  };
}

/** What a condition says of an Email; undefined for one that is not known here. */
const CONDITIONS: Readonly<Record<string, (email: Email, value: never) => boolean>> = {
  inMailbox: (email, id: Id) => Boolean(email.mailboxIds[id]),
  inMailboxOtherThan: (email, ids: readonly Id[]) =>
    Object.keys(email.mailboxIds).some((id) => !ids.includes(id)),
  hasKeyword: (email, word: string) => Boolean(email.keywords[word]),
  notKeyword: (email, word: string) => !email.keywords[word],
  hasAttachment: (email, has: boolean) => email.hasAttachment === has,
  before: (email, time: string) => email.receivedAt < time,
  after: (email, time: string) => email.receivedAt >= time,
  minSize: (email, size: number) => email.size >= size,
  maxSize: (email, size: number) => email.size < size,
  from: (email, text: string) => has(people(email.from), text),
  to: (email, text: string) => has(people(email.to), text),
  subject: (email, text: string) => has(email.subject ?? "", text),
  text: (email, text: string) =>
    has([email.subject, email.preview, people(email.from), people(email.to)].join(" "), text),
};

const people = (all: Email["from"]) => (all ?? []).map((one) => `${one.name} ${one.email}`).join();
const plain = (text: string) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

function has(text: string, wanted: string): boolean {
  const where = plain(text);
  return plain(wanted)
    .split(/\s+/)
    .every((word) => where.includes(word.replaceAll('"', "")));
}

function matcher(filter: Filter | null | undefined): ((email: Email) => boolean) | undefined {
  if (!filter) return () => true;
  if ("operator" in filter && Array.isArray(filter.conditions)) {
    const parts = (filter.conditions as readonly Filter[]).map(matcher);
    const all = parts.filter((part) => part !== undefined);
    if (all.length < parts.length) return undefined;
    switch (filter.operator) {
      case "AND":
        return (email) => all.every((part) => part(email));
      case "OR":
        return (email) => all.some((part) => part(email));
      default:
        return (email) => !all.some((part) => part(email));
    }
  }
  const parts = Object.entries(filter).map(([name, value]) => {
    const condition = CONDITIONS[name];
    return condition && ((email: Email) => condition(email, value as never));
  });
  const all = parts.filter((part) => part !== undefined);
  return all.length < parts.length ? undefined : (email) => all.every((part) => part(email));
}

async function emails(args: Args, shelf: Shelf): Promise<object | undefined> {
  const ids = args.ids as readonly Id[] | null;
  const properties = (args.properties ?? []) as readonly string[];
  if (!ids) return undefined;
  const whole = properties.includes("bodyValues");
  const list: (Email | EmailBody)[] = [];
  const notFound: Id[] = [];
  for (const id of new Set(ids)) {
    const found = whole ? await shelf.body(id) : await shelf.row(id);
    if (found) list.push(found);
    else notFound.push(id);
  }
  // A text that is not here is not one that is nowhere.
  if (whole && !list.length && notFound.length) return undefined;
  return { state: OFFLINE, list, notFound };
}

async function threads(args: Args, shelf: Shelf): Promise<object | undefined> {
  const ids = new Set(args.ids as readonly Id[]);
  const joined = new Map<Id, Email[]>();
  for (const row of await shelf.rows()) {
    if (ids.has(row.threadId)) joined.set(row.threadId, [...(joined.get(row.threadId) ?? []), row]);
  }
  const list = [...joined].map(([id, rows]) => ({
    id,
    emailIds: rows.sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1)).map((row) => row.id),
  }));
  return { state: OFFLINE, list, notFound: [] };
}

/** Arguments with what they refer to (RFC 8620 §3.7). */
function resolved(args: Args, answers: readonly Invocation[]): Args | undefined {
  const found: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(args)) {
    if (!name.startsWith("#")) {
      found[name] = value;
      continue;
    }
    const { resultOf, path } = value as { resultOf: string; path: string };
    const answer = answers.find(([, , id]) => id === resultOf);
    if (!answer) return undefined;
    found[name.slice(1)] = pointed(answer[1], path.split("/").slice(1));
  }
  return found;
}

function pointed(value: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  if (step === "*") return (value as readonly unknown[]).flatMap((one) => pointed(one, rest));
  return pointed((value as Readonly<Record<string, unknown>>)[step], rest);
}
