/** Conversations: which emails they are of, and what a row of a list shows of one. */
import type { Address, Email, Id, Thread } from "../jmap/index.ts";
import type { Emails } from "./emails.ts";

/** What a row shows: of one Email, or of the conversation that it stands for. */
export interface Row {
  readonly id: Id;
  readonly threadId: Id;
  readonly email: Email;
  /** Who wrote, the first first, each once; to whom it went where that is what matters. */
  readonly people: readonly Address[];
  /** Messages of the conversation, 1 without. */
  readonly count: number;
  readonly unread: boolean;
  readonly flagged: boolean;
  readonly draft: boolean;
  readonly hasAttachment: boolean;
}

export class Threads {
  readonly #emails: Emails;
  readonly #threads = new Map<Id, Thread>();
  readonly #rows = new Map<string, { version: number; row: Row }>();

  constructor(emails: Emails) {
    this.#emails = emails;
  }

  get(id: Id): Thread | undefined {
    return this.#threads.get(id);
  }

  has(id: Id): boolean {
    return this.#threads.has(id);
  }

  load(threads: readonly Thread[]): void {
    for (const thread of threads) {
      const known = this.#threads.get(thread.id);
      if (known && known.emailIds.join() === thread.emailIds.join()) continue;
      this.#threads.set(thread.id, thread);
      this.#tell(thread.id);
    }
  }

  destroy(ids: readonly Id[]): void {
    for (const id of ids) {
      this.#threads.delete(id);
      this.#tell(id);
    }
  }

  /** The emails of a conversation that are known, the oldest first. */
  emails(id: Id): Email[] {
    const found = (this.#threads.get(id)?.emailIds ?? []).map((one) => this.#emails.get(one));
    return found.filter((one) => one !== undefined);
  }

  /** Of an Email, alone or with its conversation. The same object until something of it changes. */
  row(id: Id, conversation: boolean, outgoing: boolean): Row | undefined {
    const email = this.#emails.get(id);
    if (!email) return undefined;
    const version = this.#emails.ofThread.get(email.threadId) ?? 0;
    const key = `${id} ${conversation} ${outgoing}`;
    const known = this.#rows.get(key);
    if (known && known.version === version) return known.row;
    const all = conversation ? this.emails(email.threadId) : [];
    const row = rowOf(email, all.length ? all : [email], outgoing);
    this.#rows.set(key, { version, row });
    return row;
  }

  #tell(id: Id): void {
    this.#emails.ofThread.set(id, (this.#emails.ofThread.get(id) ?? 0) + 1);
  }
}

function rowOf(email: Email, all: readonly Email[], outgoing: boolean): Row {
  const people = new Map<string, Address>();
  for (const one of all) {
    for (const person of (outgoing ? one.to : one.from) ?? []) {
      if (!people.has(person.email)) people.set(person.email, person);
    }
  }
  return {
    id: email.id,
    threadId: email.threadId,
    email,
    people: [...people.values()],
    count: all.length,
    unread: all.some((one) => !one.keywords.$seen && !one.keywords.$draft),
    flagged: all.some((one) => one.keywords.$flagged),
    draft: all.some((one) => one.keywords.$draft),
    hasAttachment: all.some((one) => one.hasAttachment),
  };
}
