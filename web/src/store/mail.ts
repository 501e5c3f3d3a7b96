/** Mail as the client knows it: the one object that everything shown is read from, and that everything done
    goes to. */
import {
  BODY_PROPERTIES,
  type Email,
  type EmailBody,
  type Id,
  LIST_PROPERTIES,
  type Mailbox,
  MethodError,
  type Patch,
  RequestError,
  type Role,
  type Thread,
  type Transport,
} from "../jmap/index.ts";
import { applied, type Deed, done, patch } from "./actions.ts";
import { Emails } from "./emails.ts";
import { Signal } from "./keyed.ts";
import { type KeptList, type ListSpec, MessageList } from "./list.ts";
import { counted, Mailboxes } from "./mailboxes.ts";
import { type Job, Sender } from "./sender.ts";
import type { Replica } from "./sync.ts";
import { Threads } from "./threads.ts";

/** Rows that are looked up at a time. */
const WINDOW = 50;
/** Octets of a body that are shown at first. */
const MOST_BODY = 200 * 1024;
const MOST_BODIES = 300;
const MOST_LISTS = 24;
const MOST_KEPT_LISTS = 6;
const MOST_KEPT_ROWS = 100;

/** What is kept on disk between two visits. */
export interface Kept {
  readonly states: { readonly email: string; readonly thread: string; readonly mailbox: string };
  readonly mailboxes: readonly Mailbox[];
  readonly lists: readonly KeptList[];
  readonly threads: readonly Thread[];
  readonly emails: readonly Email[];
}

/** A deed that can be taken back. */
export interface Done {
  readonly deed: Deed;
  /** Messages that it changed. */
  readonly count: number;
  undo(): void;
}

export class MailStore implements Replica {
  readonly emails = new Emails();
  readonly threads = new Threads(this.emails);
  readonly mailboxes = new Mailboxes();
  readonly states = { email: "", thread: "", mailbox: "" };
  readonly sender: Sender;
  /** Told when a deed was refused by the server and taken back. */
  readonly refused = new Signal();
  readonly #transport: Transport;
  readonly #lists = new Map<string, MessageList>();
  readonly #open = new Map<MessageList, number>();
  readonly #loading = new Map<MessageList, Set<number>>();
  readonly #bodies = new Map<Id, Promise<EmailBody | undefined>>();
  /** Of them, what has come. */
  readonly #come = new Map<Id, EmailBody>();

  constructor(transport: Transport) {
    this.#transport = transport;
    this.sender = new Sender(transport, this, {
      lists: () => [...this.#open.keys()],
      lost: () => this.#anew(),
      failed: () => this.refused.tell(),
    });
  }

  /** Mailboxes, and from where on changes are told. Throws `RequestError`. */
  async start(): Promise<void> {
    const batch = this.#transport.batch();
    const emails = batch.add("Email/get", { ids: [], properties: ["id"] });
    const threads = batch.add("Thread/get", { ids: [] });
    const mailboxes = batch.add("Mailbox/get", { ids: null });
    const answers = await this.#transport.send(batch);
    this.states.email = answers.of(emails).state;
    this.states.thread = answers.of(threads).state;
    const { state, list } = answers.of(mailboxes);
    this.states.mailbox = state;
    this.mailboxes.replace(list);
  }

  /** What is worth keeping on disk: mailboxes, and the beginnings of the lists that were used last. */
  keep(): Kept | undefined {
    if (!this.states.email) return undefined;
    const used = [...this.#lists.values()]
      // What was searched for is looked up again, with where it was found.
      .filter((list) => list.ready && !list.spec.snippets)
      .slice(-MOST_KEPT_LISTS);
    const lists = used.map((list) => list.keep(MOST_KEPT_ROWS));
    const rows = [...new Set(lists.flatMap(({ ids }) => ids))].map((id) =>
      this.emails.confirmed(id),
    );
    const threads = [...new Set(rows.map((row) => row?.threadId ?? ""))]
      .map((id) => this.threads.get(id))
      .filter((one) => one !== undefined);
    const joined = threads
      .flatMap(({ emailIds }) => emailIds)
      .map((id) => this.emails.confirmed(id));
    const emails = new Map([...rows, ...joined].map((email) => [email?.id, email]));
    return {
      states: { ...this.states },
      mailboxes: this.mailboxes.confirmed(),
      lists,
      threads,
      emails: [...emails.values()].filter((one) => one !== undefined),
    };
  }

  /** Begin with what was kept; what changed since is asked for. */
  revive(kept: Kept): void {
    Object.assign(this.states, kept.states);
    this.mailboxes.replace(kept.mailboxes);
    this.threads.load(kept.threads);
    this.emails.load(kept.emails, this.emails.now());
    for (const list of kept.lists) this.list(list.spec).revive(list);
    void this.sender.look();
  }

  /** The list of a query: the same for the same query, as long as it is of use. */
  list(spec: ListSpec): MessageList {
    const key = JSON.stringify(spec);
    const list = this.#lists.get(key) ?? new MessageList(spec);
    // The one asked for last is the last to go.
    this.#lists.delete(key);
    this.#lists.set(key, list);
    for (const [other, one] of this.#lists) {
      if (this.#lists.size <= MOST_LISTS) break;
      if (one !== list && !this.#open.has(one)) this.#lists.delete(other);
    }
    return list;
  }

  /** Keep a list up to date until the function returned is called. */
  watch(list: MessageList): () => void {
    const times = this.#open.get(list) ?? 0;
    this.#open.set(list, times + 1);
    if (!times && list.ready) void this.sender.look();
    return () => {
      const left = (this.#open.get(list) ?? 1) - 1;
      if (left > 0) this.#open.set(list, left);
      else this.#open.delete(list);
    };
  }

  /** See to it that the rows from `from` up to before `to` become known. */
  need(list: MessageList, from: number, to: number): void {
    const busy = this.#loading.get(list) ?? new Set();
    this.#loading.set(list, busy);
    for (let at = from; at < Math.max(to, from + 1); ) {
      const place = list.missing(at, to, WINDOW);
      if (place === undefined) return;
      if (!busy.has(place)) {
        busy.add(place);
        void this.#load(list, place).finally(() => busy.delete(place));
      }
      if (!list.ready) return;
      at = Math.max(place, at) + WINDOW - (Math.max(place, at) % WINDOW);
    }
  }

  async #load(list: MessageList, position: number): Promise<void> {
    const { filter, sort, collapseThreads } = list.spec;
    const batch = this.#transport.batch();
    const query = batch.add("Email/query", {
      filter,
      sort,
      collapseThreads,
      position,
      limit: WINDOW,
      calculateTotal: true,
    });
    const rows = batch.add("Email/get", { "#ids": query.ref("/ids"), properties: LIST_PROPERTIES });
    const threads = collapseThreads
      ? batch.add("Thread/get", { "#ids": rows.ref("/list/*/threadId") })
      : undefined;
    const others = threads
      ? batch.add("Email/get", {
          "#ids": threads.ref("/list/*/emailIds"),
          properties: LIST_PROPERTIES,
        })
      : undefined;
    const snippets = list.spec.snippets
      ? batch.add("SearchSnippet/get", { filter, "#emailIds": query.ref("/ids") })
      : undefined;
    const since = this.emails.now();
    const stateAtRequest = list.queryState;
    try {
      const answers = await this.#transport.send(batch);
      const found = answers.of(query);
      this.emails.load(answers.of(rows).list, since);
      if (others) this.emails.load(answers.of(others).list, since);
      if (threads) this.threads.load(answers.of(threads).list);
      for (const one of (snippets && answers.maybe(snippets)?.list) ?? []) {
        list.snippets.set(one.emailId, one);
      }
      const taken = list.load({ ...found, total: found.total ?? 0 }, stateAtRequest);
      if (!taken) list.stale();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      list.fail(error instanceof MethodError ? error.type : "");
      // Whoever waits for a connection sees to what is to be said about it.
      if (error instanceof RequestError) void this.sender.look();
    }
  }

  /** What is needed to read a message beside its row; nothing where it cannot be had. */
  body(id: Id): Promise<EmailBody | undefined> {
    const known = this.#bodies.get(id);
    if (known) return known;
    this.#fetchBodies([id]);
    return this.#bodies.get(id) ?? Promise.resolve(undefined);
  }

  /** The same, where it is here already. */
  bodyNow(id: Id): EmailBody | undefined {
    return this.#come.get(id);
  }

  /** Have bodies ready before they are asked for. */
  prefetch(ids: readonly Id[]): void {
    this.#fetchBodies(ids.filter((id) => !this.#bodies.has(id)));
  }

  /** A whole body, however long it is. */
  async wholeBody(id: Id): Promise<EmailBody | undefined> {
    const bodies = this.#askBodies([id], 0);
    const body = (await bodies).get(id);
    if (body) {
      this.#bodies.set(id, Promise.resolve(body));
      this.#come.set(id, body);
    }
    return body;
  }

  #fetchBodies(ids: readonly Id[]): void {
    if (!ids.length) return;
    const answer = this.#askBodies(ids, MOST_BODY);
    for (const id of ids) {
      const body = answer.then((found) => found.get(id));
      body.then(
        (found) => found && this.#bodies.has(id) && this.#come.set(id, found),
        () => this.#bodies.delete(id),
      );
      this.#bodies.set(id, body);
    }
    for (const id of this.#bodies.keys()) {
      if (this.#bodies.size <= MOST_BODIES) break;
      this.#bodies.delete(id);
      this.#come.delete(id);
    }
  }

  async #askBodies(ids: readonly Id[], most: number): Promise<Map<Id, EmailBody>> {
    const batch = this.#transport.batch();
    const call = batch.add("Email/get", {
      ids,
      properties: BODY_PROPERTIES,
      fetchHTMLBodyValues: true,
      fetchTextBodyValues: true,
      maxBodyValueBytes: most,
      makeHTMLSafe: true,
    });
    const answers = await this.#transport.send(batch);
    return new Map(answers.of(call).list.map((body) => [body.id, body]));
  }

  /** Do something with messages; nothing where it changes none. `away`: rows of a list that go by it. */
  act(
    deed: Deed,
    ids: readonly Id[],
    away?: { list: MessageList; rows: readonly Id[] },
  ): Done | undefined {
    const found = ids.map((id) => this.emails.get(id)).filter((one) => one !== undefined);
    const changed = found
      .map((before) => [before, done(before, deed)] as const)
      .filter(([before, after]) => before !== after);
    if (!changed.length) return undefined;
    const places = away?.list.places(away.rows);
    const job = this.#begin(changed, away && places ? [[away.list, places]] : []);
    const back = changed.map(([before, after]) => [after, before] as const);
    return { deed, count: changed.length, undo: () => this.#undo(job, back) };
  }

  /** Take up what was done before and is not known to have arrived. */
  resume(all: readonly Job["patches"][]): void {
    for (const patches of all) {
      const changed = Object.entries(patches).flatMap(([id, changes]) => {
        const before = this.emails.get(id);
        return before ? [[before, applied(before, changes)] as const] : [];
      });
      const away = [...this.#lists.values()].flatMap((list) => {
        const box = (list.spec.filter as { inMailbox?: Id }).inMailbox;
        const left = changed.filter(([, { mailboxIds }]) => box && !mailboxIds[box]);
        const places = list.places(left.map(([{ id }]) => id));
        return places.size ? [[list, places] as const] : [];
      });
      this.#queue(patches, changed, away);
    }
  }

  #begin(changed: readonly (readonly [Email, Email])[], away: Job["away"]): Job {
    const patches: Record<Id, Patch> = {};
    for (const [before, after] of changed) patches[before.id] = patch(before, after);
    return this.#queue(patches, changed, away);
  }

  #queue(
    patches: Job["patches"],
    changed: readonly (readonly [Email, Email])[],
    away: Job["away"],
  ): Job {
    const token = this.emails.begin(Object.keys(patches), (email) =>
      applied(email, patches[email.id] ?? {}),
    );
    this.mailboxes.begin(token, counted(changed));
    for (const [list, places] of away) list.hide(places.keys());
    const job: Job = { token, patches, away, state: "waits", undone: false };
    this.sender.send(job);
    return job;
  }

  #undo(job: Job, back: readonly (readonly [Email, Email])[]): void {
    if (job.undone || job.state === "failed" || this.sender.recall(job)) return;
    job.undone = true;
    for (const [list, places] of job.away) {
      if (job.state === "sent") list.unhide(places.keys());
      else list.restore(places);
    }
    this.#begin(back, []);
  }

  /** The mailbox of a role, made where there is none yet. Throws `RequestError`, `MethodError`. */
  async mailboxFor(role: Role, name: string): Promise<Mailbox | undefined> {
    const known = this.mailboxes.role(role);
    if (known) return known;
    const batch = this.#transport.batch();
    const set = batch.add("Mailbox/set", { create: { new: { name, role, parentId: null } } });
    const answers = await this.#transport.send(batch);
    answers.of(set);
    await this.sender.look();
    return this.mailboxes.role(role);
  }

  /** Changes cannot be told any more: everything is looked up anew as it is needed. */
  async #anew(): Promise<void> {
    await this.start();
    for (const list of this.#lists.values()) list.stale();
  }
}
