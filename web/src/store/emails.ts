/** Emails as the server has them, and as they are shown: with what was done here and is not confirmed yet.

    Invariant: what is shown is the server's state with every pending change upon it, in order. A change that
    is confirmed becomes the server's state; one that failed is taken away, and what it changed is as before. */
import type { Email, Id } from "../jmap/index.ts";
import { Keyed } from "./keyed.ts";

export type Change = (email: Email) => Email;

interface Pending {
  readonly ids: ReadonlySet<Id>;
  readonly change: Change;
}

export class Emails {
  /** As shown. */
  readonly shown = new Keyed<Email>();
  /** Told with a thread's id whenever an email of it changes. */
  readonly ofThread = new Keyed<number>();
  readonly #known = new Map<Id, Email>();
  readonly #pending = new Map<number, Pending>();
  /** When the server's state of an email was last told by a change; see `load`. */
  readonly #told = new Map<Id, number>();
  #clock = 0;
  #token = 0;

  get(id: Id): Email | undefined {
    return this.shown.get(id);
  }

  /** As the server has it, without what is pending. */
  confirmed(id: Id): Email | undefined {
    return this.#known.get(id);
  }

  known(id: Id): boolean {
    return this.#known.has(id);
  }

  /** To be taken before a request whose answer goes to `load`. */
  now(): number {
    return this.#clock;
  }

  /** What a look-up found that was sent at `since`. What changed meanwhile is newer, and stays. */
  load(emails: readonly Email[], since: number): void {
    for (const email of emails) {
      if ((this.#told.get(email.id) ?? -1) <= since) this.#put(email);
    }
  }

  /** What changed, by the server's log of changes. Emails that are not here stay so. */
  change(parts: readonly (Pick<Email, "id"> & Partial<Email>)[]): void {
    this.#clock += 1;
    for (const part of parts) {
      const known = this.#known.get(part.id);
      this.#told.set(part.id, this.#clock);
      if (known) this.#put({ ...known, ...part });
    }
  }

  destroy(ids: readonly Id[]): void {
    this.#clock += 1;
    for (const id of ids) {
      this.#told.set(id, this.#clock);
      const thread = this.#known.get(id)?.threadId;
      this.#known.delete(id);
      this.shown.delete(id);
      if (thread) this.#tellThread(thread);
    }
  }

  /** Show a change before the server has it; the number it is called by from then on. */
  begin(ids: Iterable<Id>, change: Change): number {
    const token = ++this.#token;
    this.#pending.set(token, { ids: new Set(ids), change });
    this.#show(this.#pending.get(token)?.ids ?? []);
    return token;
  }

  /** The server has made a change, but for those in `refused`. */
  confirm(token: number, refused: ReadonlySet<Id> = new Set()): void {
    const pending = this.#pending.get(token);
    if (!pending) return;
    this.#pending.delete(token);
    this.#clock += 1;
    for (const id of pending.ids) {
      const known = this.#known.get(id);
      if (!known || refused.has(id)) continue;
      this.#told.set(id, this.#clock);
      this.#known.set(id, pending.change(known));
    }
    this.#show(pending.ids);
  }

  /** A change did not happen. */
  cancel(token: number): void {
    const pending = this.#pending.get(token);
    if (!pending) return;
    this.#pending.delete(token);
    this.#show(pending.ids);
  }

  #put(email: Email): void {
    this.#known.set(email.id, email);
    this.#show([email.id]);
  }

  #show(ids: Iterable<Id>): void {
    const threads = new Set<Id>();
    for (const id of ids) {
      const known = this.#known.get(id);
      if (!known) continue;
      let email = known;
      for (const pending of this.#pending.values()) {
        if (pending.ids.has(id)) email = pending.change(email);
      }
      this.shown.set(id, email);
      threads.add(email.threadId);
    }
    for (const thread of threads) this.#tellThread(thread);
  }

  #tellThread(thread: Id): void {
    this.ofThread.set(thread, (this.ofThread.get(thread) ?? 0) + 1);
  }
}
