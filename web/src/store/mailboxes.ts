/** Mailboxes, with counts that follow what was done here at once. */
import type { Email, Id, Mailbox, Role } from "../jmap/index.ts";
import { Signal } from "./keyed.ts";

/** By mailbox: how many more messages, and how many more unread. */
export type Counts = ReadonlyMap<Id, { readonly total: number; readonly unread: number }>;

/** The order of mailboxes with a role; all others follow by name. */
const ORDER: readonly Role[] = [
  "inbox",
  "snoozed",
  "flagged",
  "drafts",
  "scheduled",
  "sent",
  "archive",
  "junk",
  "trash",
];

export class Mailboxes extends Signal {
  readonly #known = new Map<Id, Mailbox>();
  readonly #pending = new Map<number, Counts>();
  #shown: readonly Mailbox[] = [];

  /** In the order of a sidebar. The same array until something changes. */
  get all(): readonly Mailbox[] {
    return this.#shown;
  }

  get(id: Id): Mailbox | undefined {
    return this.#shown.find((one) => one.id === id);
  }

  /** As the server has them, without what is pending. */
  confirmed(): readonly Mailbox[] {
    return [...this.#known.values()];
  }

  role(role: Role): Mailbox | undefined {
    return this.#shown.find((one) => one.role === role);
  }

  replace(all: readonly Mailbox[]): void {
    this.#known.clear();
    for (const one of all) this.#known.set(one.id, one);
    this.#show();
  }

  change(
    parts: readonly (Pick<Mailbox, "id"> & Partial<Mailbox>)[],
    destroyed: readonly Id[],
  ): void {
    for (const part of parts) {
      const known = this.#known.get(part.id);
      if (known || "name" in part) this.#known.set(part.id, { ...known, ...part } as Mailbox);
    }
    for (const id of destroyed) this.#known.delete(id);
    if (parts.length || destroyed.length) this.#show();
  }

  begin(token: number, counts: Counts): void {
    this.#pending.set(token, counts);
    this.#show();
  }

  /** Confirmed or cancelled: the server's counts say the rest. */
  end(token: number): void {
    if (this.#pending.delete(token)) this.#show();
  }

  #show(): void {
    this.#shown = [...this.#known.values()].map((one) => this.#counted(one)).sort(byPlace);
    this.tell();
  }

  #counted(mailbox: Mailbox): Mailbox {
    let { totalEmails, unreadEmails } = mailbox;
    for (const counts of this.#pending.values()) {
      const more = counts.get(mailbox.id);
      totalEmails += more?.total ?? 0;
      unreadEmails += more?.unread ?? 0;
    }
    return {
      ...mailbox,
      totalEmails: Math.max(0, totalEmails),
      unreadEmails: Math.max(0, unreadEmails),
    };
  }
}

function byPlace(a: Mailbox, b: Mailbox): number {
  const place = (one: Mailbox) => {
    const at = one.role ? ORDER.indexOf(one.role) : -1;
    return at < 0 ? ORDER.length : at;
  };
  return place(a) - place(b) || a.sortOrder - b.sortOrder || a.name.localeCompare(b.name);
}

const isUnread = (email: Email) => !email.keywords.$seen && !email.keywords.$draft;

/** What a change of emails does to the counts. */
export function counted(changes: Iterable<readonly [before: Email, after: Email]>): Counts {
  const counts = new Map<Id, { total: number; unread: number }>();
  const add = (email: Email, sign: 1 | -1) => {
    for (const id of Object.keys(email.mailboxIds)) {
      const found = counts.get(id) ?? { total: 0, unread: 0 };
      found.total += sign;
      if (isUnread(email)) found.unread += sign;
      counts.set(id, found);
    }
  };
  for (const [before, after] of changes) {
    add(before, -1);
    add(after, 1);
  }
  return counts;
}
