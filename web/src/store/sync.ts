/** Catching up with the server: what changed since the states that are known here, as calls of one request and
    what follows from their answers (RFC 8620 §5.2, §5.6). */
import {
  type Answers,
  type Batch,
  type Call,
  type ChangesAnswer,
  LIST_PROPERTIES,
  MethodError,
} from "../jmap/index.ts";
import type { Emails } from "./emails.ts";
import type { MessageList } from "./list.ts";
import type { Mailboxes } from "./mailboxes.ts";
import type { Threads } from "./threads.ts";

/** Changes asked for at a time; the server says whether there are more. */
const MOST = 250;

/** What is known of the server. */
export interface Replica {
  readonly emails: Emails;
  readonly threads: Threads;
  readonly mailboxes: Mailboxes;
  /** States of types, '' where nothing was asked yet. */
  readonly states: { email: string; thread: string; mailbox: string };
}

/** How it went: all is known; there is more; or so much changed that all must be looked up anew. */
export type Caught = "up" | "more" | "lost";

const NEWEST = Number.POSITIVE_INFINITY;
const CHANGING = ["id", "mailboxIds", "keywords"] as const;

export class Catching {
  readonly #replica: Replica;
  readonly #lists: readonly (readonly [MessageList, Call<"Email/queryChanges">])[];
  /** Lists whose changes the server cannot tell. */
  readonly #blind: readonly MessageList[];
  readonly #emails: Call<"Email/changes">;
  readonly #updated: Call<"Email/get">;
  readonly #threads: Call<"Thread/changes">;
  readonly #grown: Call<"Thread/get">;
  readonly #joined: Call<"Email/get">;
  readonly #mailboxes: Call<"Mailbox/changes">;
  readonly #made: Call<"Mailbox/get">;
  readonly #counted: Call<"Mailbox/get">;
  readonly #rows: readonly Call<"Email/get">[];
  readonly #rowThreads: readonly Call<"Thread/get">[];
  readonly #rowEmails: readonly Call<"Email/get">[];

  /** Adds the calls to a batch. `lists`: those that are shown. */
  constructor(batch: Batch, replica: Replica, lists: readonly MessageList[]) {
    const { states } = replica;
    this.#replica = replica;
    this.#mailboxes = batch.add("Mailbox/changes", { sinceState: states.mailbox });
    this.#made = batch.add("Mailbox/get", { "#ids": this.#mailboxes.ref("/created") });
    this.#counted = batch.add("Mailbox/get", { "#ids": this.#mailboxes.ref("/updated") });
    this.#emails = batch.add("Email/changes", { sinceState: states.email, maxChanges: MOST });
    this.#updated = batch.add("Email/get", {
      "#ids": this.#emails.ref("/updated"),
      properties: CHANGING,
    });
    this.#threads = batch.add("Thread/changes", { sinceState: states.thread, maxChanges: MOST });
    this.#grown = batch.add("Thread/get", { "#ids": this.#threads.ref("/updated") });
    this.#joined = batch.add("Email/get", {
      "#ids": this.#emails.ref("/created"),
      properties: LIST_PROPERTIES,
    });
    const lively = lists.filter((list) => list.ready && list.canCalculateChanges);
    this.#lists = lively.map((list) => [list, batch.add("Email/queryChanges", asked(list))]);
    this.#rows = this.#lists.map(([, call]) =>
      batch.add("Email/get", { "#ids": call.ref("/added/*/id"), properties: LIST_PROPERTIES }),
    );
    this.#rowThreads = this.#rows.map((call) =>
      batch.add("Thread/get", { "#ids": call.ref("/list/*/threadId") }),
    );
    this.#rowEmails = this.#rowThreads.map((call) =>
      batch.add("Email/get", { "#ids": call.ref("/list/*/emailIds"), properties: LIST_PROPERTIES }),
    );
    this.#blind = lists.filter((list) => list.ready && !list.canCalculateChanges);
  }

  /** What the answers say, but for those of lists: see `takeLists`. */
  take(answers: Answers): Caught {
    let emails: ChangesAnswer;
    let threads: ChangesAnswer;
    let mailboxes: ChangesAnswer;
    try {
      emails = answers.of(this.#emails);
      threads = answers.of(this.#threads);
      mailboxes = answers.of(this.#mailboxes);
    } catch (error) {
      if (error instanceof MethodError) return "lost";
      throw error;
    }
    const replica = this.#replica;
    replica.emails.change(answers.maybe(this.#updated)?.list ?? []);
    replica.emails.destroy(emails.destroyed);
    for (const call of [this.#joined, ...this.#rows, ...this.#rowEmails]) {
      replica.emails.load(answers.maybe(call)?.list ?? [], NEWEST);
    }
    for (const call of [this.#grown, ...this.#rowThreads]) {
      replica.threads.load(answers.maybe(call)?.list ?? []);
    }
    replica.threads.destroy(threads.destroyed);
    const made = answers.maybe(this.#made)?.list ?? [];
    const counted = answers.maybe(this.#counted)?.list ?? [];
    replica.mailboxes.change([...made, ...counted], mailboxes.destroyed);
    replica.states.email = emails.newState;
    replica.states.thread = threads.newState;
    replica.states.mailbox = mailboxes.newState;
    return emails.hasMoreChanges || threads.hasMoreChanges || mailboxes.hasMoreChanges
      ? "more"
      : "up";
  }

  /** The answers of lists; after it, what was put away and is gone need not be hidden any more. */
  takeLists(answers: Answers): void {
    for (const [list, call] of this.#lists) {
      const changes = answers.maybe(call);
      if (!changes) list.stale();
      // Else a window was looked up meanwhile, and is newer.
      else if (changes.oldQueryState === list.queryState) list.change(changes);
    }
    const emails = answers.maybe(this.#emails);
    if (emails?.created.length || emails?.updated.length || emails?.destroyed.length) {
      for (const list of this.#blind) list.stale();
    }
  }
}

function asked(list: MessageList) {
  const { filter, sort, collapseThreads } = list.spec;
  const upToId = list.upTo;
  return {
    filter,
    sort,
    collapseThreads,
    sinceQueryState: list.queryState,
    calculateTotal: true,
    ...(upToId ? { upToId } : {}),
  };
}
