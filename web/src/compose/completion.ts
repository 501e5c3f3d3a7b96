/** Addresses that fit what one types: of the address books where the server has some, and of the mail that is
    known here. */
import type { Address, JmapClient } from "../jmap/index.ts";
import type { MailStore } from "../store/index.ts";
import { isAddress, personName } from "./addresses.ts";

const CONTACTS = "urn:ietf:params:jmap:contacts";
const SHOWN = 8;
const USED = "malleposte.compose.used";
const MOST_USED = 200;

/** Without accents and case. */
export function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

/** How well a person fits: at the beginning of a word of the name, or of the address; 0: not at all. */
export function fitting(person: Address, typed: string): number {
  const words = folded(typed).split(/\s+/).filter(Boolean);
  const name = folded(person.name ?? "");
  const email = folded(person.email);
  const parts = [...name.split(/[\s,.'’-]+/), email, ...email.split(/[@.]/)];
  if (!words.length || !words.every((word) => parts.some((part) => part.startsWith(word)))) {
    return name.includes(folded(typed)) || email.includes(folded(typed)) ? 1 : 0;
  }
  return email.startsWith(words[0] ?? "") || name.startsWith(words[0] ?? "") ? 3 : 2;
}

export class Completion {
  readonly #client: JmapClient;
  readonly #store: MailStore;
  readonly #asked = new Map<string, Promise<readonly Address[]>>();

  constructor(client: JmapClient, store: MailStore) {
    this.#client = client;
    this.#store = store;
  }

  /** At once: those of the mail that is here. */
  known(typed: string, without: ReadonlySet<string>): Address[] {
    return ranked(this.#seen(), typed, without);
  }

  /** With those of the address books. */
  async all(typed: string, without: ReadonlySet<string>): Promise<Address[]> {
    const cards = await this.#cards(typed.trim());
    const seen = this.#seen();
    for (const card of cards) {
      const key = card.email.toLowerCase();
      const known = seen.get(key);
      seen.set(key, {
        person: card.name ? card : (known?.person ?? card),
        times: (known?.times ?? 0) + 50,
      });
    }
    return ranked(seen, typed, without);
  }

  /** To whom something was sent comes first the next time. */
  used(people: readonly Address[]): void {
    const fresh = people.filter(({ email }) => isAddress(email));
    const gone = new Set(fresh.map(({ email }) => email));
    const kept = [...fresh, ...this.#used().filter(({ email }) => !gone.has(email))];
    localStorage.setItem(this.#key, JSON.stringify(kept.slice(0, MOST_USED)));
  }

  get #key(): string {
    return `${USED}.${this.#client.account}`;
  }

  #used(): Address[] {
    try {
      const found: unknown = JSON.parse(localStorage.getItem(this.#key) ?? "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  }

  #seen(): Map<string, { person: Address; times: number }> {
    const found = new Map<string, { person: Address; times: number }>();
    const add = (person: Address, times: number) => {
      const key = person.email.toLowerCase();
      const known = found.get(key);
      const better = known && (known.person.name || !person.name) ? known.person : person;
      found.set(key, { person: better, times: (known?.times ?? 0) + times });
    };
    for (const person of this.#used()) add(person, 20);
    for (const email of this.#store.emails.shown.values()) {
      // Who writes by machine does not read answers.
      for (const person of email.from ?? []) if (!/^no-?reply/i.test(person.email)) add(person, 1);
      for (const person of email.to ?? []) add(person, 2);
    }
    return found;
  }

  #cards(typed: string): Promise<readonly Address[]> {
    const account = this.#client.session.accounts[this.#client.account];
    if (!typed || !account?.accountCapabilities[CONTACTS]) return Promise.resolve([]);
    const known = this.#asked.get(typed);
    if (known) return known;
    const asked = this.#ask(typed).catch(() => []);
    this.#asked.set(typed, asked);
    if (this.#asked.size > 50) this.#asked.delete(this.#asked.keys().next().value ?? "");
    return asked;
  }

  async #ask(typed: string): Promise<readonly Address[]> {
    const batch = this.#client.batch();
    const query = batch.add("ContactCard/query", { filter: { text: typed }, limit: 20 });
    const get = batch.add("ContactCard/get", {
      "#ids": query.ref("/ids"),
      properties: ["id", "name", "emails"],
    });
    const { list } = (await this.#client.send(batch)).of(get);
    return list.flatMap(({ name, emails }) =>
      Object.values(emails ?? {})
        .map(({ address }) => ({ name: name?.full?.trim() || null, email: address ?? "" }))
        .filter(({ email }) => isAddress(email)),
    );
  }
}

function ranked(
  all: ReadonlyMap<string, { person: Address; times: number }>,
  typed: string,
  without: ReadonlySet<string>,
): Address[] {
  return [...all.entries()]
    .filter(([key]) => !without.has(key) && isAddress(key))
    .map(([, { person, times }]) => ({ person, times, fits: fitting(person, typed) }))
    .filter(({ fits }) => fits > 0)
    .sort(
      (a, b) =>
        b.fits - a.fits ||
        b.times - a.times ||
        personName(a.person).localeCompare(personName(b.person)),
    )
    .slice(0, SHOWN)
    .map(({ person }) => person);
}
