/** A server in memory, for tests of the store: answers as RFC 8620 and RFC 8621 say, of what the store asks. */

import type { Transport } from "../../jmap/index.ts";
import {
  Answers,
  Batch,
  type Email,
  type Invocation,
  type Mailbox,
  type RequestError,
} from "../../jmap/index.ts";

type Args = Record<string, unknown>;

export function email(n: number, more: Partial<Email> = {}): Email {
  return {
    id: `e${n}`,
    threadId: `t${n}`,
    mailboxIds: { inbox: true },
    keywords: {},
    receivedAt: new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString(),
    size: 1000,
    subject: `Subject ${n}`,
    from: [{ name: `Writer ${n}`, email: `w${n}@example.test` }],
    to: [{ name: null, email: "me@example.test" }],
    preview: `Preview ${n}`,
    hasAttachment: false,
    ...more,
  };
}

export class FakeServer implements Transport {
  readonly emails = new Map<string, Email>();
  /** Requests that came, each as the names of its calls. */
  readonly requests: string[][] = [];
  canCalculateChanges = true;
  /** When set, the next request fails with it. */
  failure: RequestError | undefined;
  /** Ids that may not be changed. */
  readonly locked = new Set<string>();
  /** While set, answers wait for it. */
  gate: Promise<void> | undefined;
  #state = 1;
  readonly #log: { state: number; id: string; kind: "created" | "updated" | "destroyed" }[] = [];
  readonly #queries = new Map<string, string[]>();
  forgets = 0;
  #threads: { state: number; all: Map<string, Email[]> } = { state: 0, all: new Map() };

  constructor(emails: readonly Email[]) {
    for (const one of emails) this.emails.set(one.id, one);
  }

  batch(): Batch {
    return new Batch("account");
  }

  async send(batch: Batch): Promise<Answers> {
    this.requests.push(batch.calls.map(([name]) => name));
    if (this.failure) {
      const failure = this.failure;
      this.failure = undefined;
      throw failure;
    }
    const answers = this.answer(batch.calls);
    await this.gate;
    return new Answers(structuredClone(answers));
  }

  /** The answers of the calls of a request. */
  answer(calls: readonly Invocation[]): Invocation[] {
    const answers: Invocation[] = [];
    for (const [name, args, id] of calls) {
      try {
        answers.push([name, this.#answer(name, resolved(args as Args, answers)), id]);
      } catch (error) {
        answers.push(["error", { type: (error as Error).message }, id]);
      }
    }
    return answers;
  }

  /** Something happens that this client did not do. */
  put(one: Email): void {
    const kind = this.emails.has(one.id) ? "updated" : "created";
    this.emails.set(one.id, one);
    this.#log.push({ state: ++this.#state, id: one.id, kind });
  }

  destroy(id: string): void {
    this.emails.delete(id);
    this.#log.push({ state: ++this.#state, id, kind: "destroyed" });
  }

  #answer(name: string, args: Args): object {
    const state = String(this.#state);
    const ids = args.ids as string[] | null;
    switch (name) {
      case "Mailbox/get":
        return { state, list: this.#mailboxes().filter(({ id }) => !ids || ids.includes(id)) };
      case "Mailbox/changes":
        return {
          ...this.#changes(args),
          created: [],
          destroyed: [],
          updated: ["inbox", "archive"],
        };
      case "Email/get": {
        const found = [...new Set(ids)].map((id) => this.emails.get(id)).filter((one) => !!one);
        const wanted = args.properties as (keyof Email)[];
        const list = found.map((one) =>
          Object.fromEntries(["id", ...wanted].map((p) => [p, one[p as keyof Email]])),
        );
        return { state, list, notFound: [] };
      }
      case "Email/changes":
        return this.#changes(args);
      case "Thread/get":
        return { state, list: [...new Set(ids)].map((id) => ({ id, emailIds: this.#thread(id) })) };
      case "Thread/changes": {
        const changes = this.#changes(args);
        const threads = [...changes.created, ...changes.updated].map(
          (id) => this.emails.get(id)?.threadId,
        );
        return { ...changes, created: [], destroyed: [], updated: threads.filter(Boolean) };
      }
      case "Email/query": {
        const all = this.#query(args);
        const position = args.position as number;
        return {
          queryState: state,
          canCalculateChanges: this.canCalculateChanges,
          position,
          ids: all.slice(position, position + (args.limit as number)),
          total: all.length,
        };
      }
      case "Email/queryChanges":
        return this.#queryChanges(args);
      case "Email/set":
        return this.#set(args.update as Record<string, Record<string, true | null>>);
    }
    throw new Error("unknownMethod");
  }

  #changes(args: Args) {
    const since = Number(args.sinceState);
    if (since < this.forgets) throw new Error("cannotCalculateChanges");
    const log = this.#log.filter(({ state }) => state > since);
    const of = (kind: string) => [
      ...new Set(log.filter((one) => one.kind === kind).map(({ id }) => id)),
    ];
    const created = of("created");
    return {
      oldState: args.sinceState,
      newState: String(this.#state),
      hasMoreChanges: false,
      created,
      updated: of("updated").filter((id) => !created.includes(id)),
      destroyed: of("destroyed"),
    };
  }

  #query(args: Args): string[] {
    const { inMailbox } = args.filter as { inMailbox: string };
    const key = `${inMailbox} ${args.collapseThreads} ${this.#state}`;
    const known = this.#queries.get(key);
    if (known) return known;
    const sorted = [...this.emails.values()]
      .filter((one) => one.mailboxIds[inMailbox])
      .sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1));
    const seen = new Set<string>();
    const ids = sorted
      .filter((one) => !args.collapseThreads || (!seen.has(one.threadId) && seen.add(one.threadId)))
      .map(({ id }) => id);
    this.#queries.set(key, ids);
    return ids;
  }

  #queryChanges(args: Args): object {
    const { inMailbox } = args.filter as { inMailbox: string };
    const before = this.#queries.get(
      `${inMailbox} ${args.collapseThreads} ${args.sinceQueryState}`,
    );
    if (!before) throw new Error("cannotCalculateChanges");
    const after = this.#query(args);
    const last = args.upToId ? after.indexOf(args.upToId as string) : after.length;
    const removed = before.filter((id) => !after.includes(id));
    const added = after
      .map((id, index) => ({ id, index }))
      .filter(({ id }) => !before.includes(id));
    return {
      oldQueryState: args.sinceQueryState,
      newQueryState: String(this.#state),
      total: after.length,
      removed,
      added: last < 0 ? added : added.filter(({ index }) => index <= last),
    };
  }

  #set(update: Record<string, Record<string, true | null>>): object {
    const updated: Record<string, null> = {};
    const notUpdated: Record<string, object> = {};
    for (const [id, patch] of Object.entries(update)) {
      const one = this.emails.get(id);
      if (!one || this.locked.has(id)) {
        notUpdated[id] = { type: one ? "forbidden" : "notFound" };
        continue;
      }
      const found = { keywords: { ...one.keywords }, mailboxIds: { ...one.mailboxIds } };
      for (const [path, value] of Object.entries(patch)) {
        const [property, name = ""] = path.split("/") as ["keywords" | "mailboxIds", string];
        if (value === null) delete found[property][name];
        else found[property][name] = true;
      }
      this.put({ ...one, ...found });
      updated[id] = null;
    }
    return { oldState: null, newState: String(this.#state), updated, notUpdated };
  }

  #thread(id: string): string[] {
    if (this.#threads.state !== this.#state) {
      const all = Map.groupBy(this.emails.values(), (one) => one.threadId);
      this.#threads = { state: this.#state, all };
    }
    return (this.#threads.all.get(id) ?? [])
      .toSorted((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1))
      .map((one) => one.id);
  }

  #mailboxes(): Mailbox[] {
    return (["inbox", "drafts", "sent", "archive", "junk", "trash"] as const).map((id) => {
      const all = [...this.emails.values()].filter((one) => one.mailboxIds[id]);
      const unread = all.filter((one) => !one.keywords.$seen).length;
      return {
        id,
        name: id,
        role: id,
        parentId: null,
        sortOrder: 0,
        totalEmails: all.length,
        unreadEmails: unread,
        totalThreads: all.length,
        unreadThreads: unread,
        myRights: {},
        isSubscribed: true,
      };
    });
  }
}

/** RFC 8620 §3.7, with the pointers that the store uses. */
function resolved(args: Args, answers: readonly Invocation[]): Args {
  const found: Args = {};
  for (const [name, value] of Object.entries(args)) {
    if (!name.startsWith("#")) {
      found[name] = value;
      continue;
    }
    const { resultOf, path } = value as { resultOf: string; path: string };
    const answer = answers.find(([what, , id]) => id === resultOf && what !== "error");
    if (!answer) throw new Error("invalidResultReference");
    let values: unknown[] = [answer[1]];
    for (const step of path.split("/").slice(1)) {
      values = values.flatMap((one) =>
        step === "*" ? (one as unknown[]) : ((one as Args)[step] as unknown[]),
      );
    }
    found[name.slice(1)] = values;
  }
  return found;
}
