/** What is known of address books and their cards, and what changes them. No React. */
import {
  type AddressBook,
  type Card,
  type CardsImported,
  type Filter,
  type Id,
  type JmapClient,
  MethodError,
  type Patch,
  Push,
  RequestError,
} from "../jmap/index.ts";
import { Signal } from "../store/index.ts";

const CONTACTS = "urn:ietf:params:jmap:contacts";
const VCARD = "urn:malleposte:params:jmap:vcard";
const WINDOW = 100;
/** Conditions of one question; the server takes 100. */
const ASKED = 80;
/** Cards taken away by one request. */
const TOGETHER = 200;
const PING = 60;
const ROW = [
  "id",
  "uid",
  "addressBookIds",
  "kind",
  "name",
  "nicknames",
  "emails",
  "phones",
  "organizations",
  "titles",
  "media",
  "members",
];

/** An address book, and whose it is. */
export interface Book extends AddressBook {
  readonly account: Id;
  /** Of the organisation: nobody changes it here. */
  readonly isDirectory: boolean;
  /** Who shares it, where it is not one's own. */
  readonly owner: string | undefined;
}

/** The cards that are asked for: all of an account, or of one book. */
export interface Wanted {
  readonly account: Id;
  readonly book: Id | undefined;
  readonly groups: boolean;
  readonly text: string;
}

export class CardList extends Signal {
  readonly wanted: Wanted;
  readonly #shelf: Shelf;
  #ids: (Id | undefined)[] = [];
  readonly #asked = new Set<number>();
  /** Whether it was ever answered. */
  ready = false;
  away = false;

  constructor(shelf: Shelf, wanted: Wanted) {
    super();
    this.#shelf = shelf;
    this.wanted = wanted;
  }

  get length(): number {
    return this.#ids.length;
  }

  at(index: number): Id | undefined {
    return this.#ids[index];
  }

  indexOf(id: Id): number {
    return this.#ids.indexOf(id);
  }

  /** Look up what is missing between two places. */
  need(first: number, end: number): void {
    for (let at = Math.floor(first / WINDOW); at * WINDOW < Math.max(1, end); at++) {
      const start = at * WINDOW;
      const missing = !this.ready || this.#ids.slice(start, start + WINDOW).includes(undefined);
      if (missing && !this.#asked.has(at)) void this.#ask(at);
    }
  }

  /** Ask for all that is known once more. */
  renew(): void {
    const known = new Set<number>([0]);
    for (const [at, id] of this.#ids.entries()) if (id) known.add(Math.floor(at / WINDOW));
    this.#asked.clear();
    for (const at of known) void this.#ask(at);
  }

  /** Take a card out, before the server has. */
  drop(id: Id): void {
    const at = this.indexOf(id);
    if (at < 0) return;
    this.#ids.splice(at, 1);
    this.tell();
  }

  async #ask(at: number): Promise<void> {
    this.#asked.add(at);
    try {
      const found = await this.#shelf.query(this.wanted, at * WINDOW, WINDOW);
      const before = this.ready ? this.#ids : [];
      const ids: (Id | undefined)[] = Array.from({ length: found.total }, (_, n) => before[n]);
      for (const [n, id] of found.ids.entries()) ids[at * WINDOW + n] = id;
      this.#ids = ids;
      this.ready = true;
      this.away = false;
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
      this.away = !this.ready;
    } finally {
      this.#asked.delete(at);
      this.tell();
    }
  }
}

export class Shelf extends Signal {
  readonly client: JmapClient;
  readonly cards = new Map<Id, Card>();
  books: readonly Book[] = [];
  state: "waits" | "ready" | "away" = "waits";
  #push: Push | undefined;
  #lists = new Map<string, CardList>();
  /** Cards that are not shown any more, and not yet gone on the server. */
  readonly #leaving = new Set<Id>();

  constructor(client: JmapClient) {
    super();
    this.client = client;
  }

  /** Keep up with the server, until the function returned is called. */
  start(): () => void {
    const look = () => void this.look();
    this.#push = new Push(this.client.events(["AddressBook", "ContactCard"], PING), look);
    this.#push.start();
    look();
    // What is about to go goes by itself, as it can be taken back elsewhere, too.
    return () => this.#push?.stop();
  }

  /** Whether vCards go in and out. */
  get exchanges(): boolean {
    const { accounts } = this.client.session;
    return VCARD in (accounts[this.client.account]?.accountCapabilities ?? {});
  }

  /** What the server has now. */
  async look(): Promise<void> {
    try {
      const batch = this.client.batch();
      const { account: own, session } = this.client;
      const accounts = Object.entries(session.accounts).filter(
        ([id, { accountCapabilities }]) => id === own || CONTACTS in accountCapabilities,
      );
      const calls = accounts.map(([accountId]) =>
        batch.add("AddressBook/get", { accountId, ids: null }),
      );
      const answers = await this.client.send(batch);
      this.books = accounts.flatMap(([account, { name }], n) => {
        const call = calls[n];
        const found = (call && answers.maybe(call)?.list) || [];
        const isDirectory = found.some(({ id }) => id === account);
        const owner = account === own || isDirectory ? undefined : name;
        return found.map((book) => ({ ...book, account, isDirectory, owner }));
      });
      this.state = "ready";
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      if (this.state === "waits") this.state = "away";
    }
    this.tell();
    for (const list of this.#lists.values()) list.renew();
  }

  /** The account of a card or a book that is shown at a place. */
  accountOf(book: string): Id {
    return this.books.find(({ id }) => id === book)?.account ?? this.client.account;
  }

  list(wanted: Wanted): CardList {
    const key = JSON.stringify(wanted);
    const list = this.#lists.get(key) ?? new CardList(this, wanted);
    // The one that is looked at is kept up to date, and the few before it for a way back.
    this.#lists.delete(key);
    this.#lists.set(key, list);
    if (this.#lists.size > 4) this.#lists.delete(this.#lists.keys().next().value ?? "");
    return list;
  }

  async query(
    { account, book, groups, text }: Wanted,
    position: number,
    limit: number,
  ): Promise<{ ids: Id[]; total: number }> {
    const filter: Record<string, string> = {};
    if (book) filter.inAddressBook = book;
    if (groups) filter.kind = "group";
    if (text) filter.text = text;
    const batch = this.client.batch();
    const query = batch.add("ContactCard/query", {
      accountId: account,
      filter: Object.keys(filter).length ? filter : null,
      sort: [{ property: "name/given" }, { property: "name/surname" }],
      position,
      limit,
      calculateTotal: true,
    });
    const get = batch.add("ContactCard/get", {
      accountId: account,
      "#ids": query.ref("/ids"),
      properties: ROW,
    });
    const answers = await this.client.send(batch);
    const { ids, total = ids.length } = answers.of(query);
    for (const card of answers.of(get).list) this.#keep(card);
    const staying = ids.filter((id) => !this.#leaving.has(id));
    return { ids: staying, total: total - (ids.length - staying.length) };
  }

  /** A row knows part of a card; what is known of the rest stays until it is read anew. */
  #keep(card: Card): void {
    this.cards.set(card.id, { ...this.cards.get(card.id), ...card });
  }

  /** A card whole. Undefined: it is not there (any more). Throws `RequestError`. */
  async card(account: Id, id: Id): Promise<Card | undefined> {
    const batch = this.client.batch();
    const get = batch.add("ContactCard/get", { accountId: account, ids: [id] });
    const [card] = (await this.client.send(batch)).of(get).list;
    if (card) this.cards.set(id, card);
    return card;
  }

  /** Cards by their uids: of the account itself, else of the directory. */
  async byUid(account: Id, uids: readonly string[]): Promise<Map<string, Card>> {
    const directory = this.books.find(({ isDirectory }) => isDirectory)?.account;
    const found = new Map<string, Card>();
    for (let start = 0; start < uids.length; start += ASKED) {
      const conditions = uids.slice(start, start + ASKED).map((uid) => ({ uid }));
      const filter: Filter = { operator: "OR", conditions };
      const batch = this.client.batch();
      const calls = [...new Set([directory, account])].flatMap((accountId) => {
        if (!accountId) return [];
        const query = batch.add("ContactCard/query", { accountId, filter, limit: ASKED });
        const properties = ROW;
        return batch.add("ContactCard/get", { accountId, "#ids": query.ref("/ids"), properties });
      });
      const answers = await this.client.send(batch);
      for (const call of calls) {
        for (const card of answers.maybe(call)?.list ?? []) found.set(card.uid, card);
      }
    }
    return found;
  }

  /** People who fit a text: of the account and of the directory. Throws `RequestError`, `MethodError`. */
  async people(account: Id, text: string, most: number): Promise<Card[]> {
    const directory = this.books.find(({ isDirectory }) => isDirectory)?.account;
    const batch = this.client.batch();
    const filter: Filter = {
      operator: "AND",
      conditions: [{ text }, { operator: "NOT", conditions: [{ kind: "group" }] }],
    };
    const calls = [...new Set([account, directory])].flatMap((accountId) => {
      if (!accountId) return [];
      const query = batch.add("ContactCard/query", { accountId, filter, limit: most });
      const properties = ROW;
      return batch.add("ContactCard/get", { accountId, "#ids": query.ref("/ids"), properties });
    });
    const answers = await this.client.send(batch);
    return calls.flatMap((call) => answers.maybe(call)?.list ?? []).slice(0, most);
  }

  /** Send a file, of which a card or an import is made. Throws `RequestError`. */
  upload(file: Blob, account: Id): Promise<Id> {
    return this.client.upload(file, account);
  }

  /** Take vCards into a book of one's own. Throws `RequestError`, `MethodError`. */
  async import(file: Blob, book: Id): Promise<CardsImported> {
    const blobId = await this.upload(file, this.client.account);
    const batch = this.client.batch();
    const call = batch.add("ContactCard/import", { blobId, addressBookId: book });
    const done = (await this.client.send(batch)).of(call);
    void this.look();
    return done;
  }

  /** Take cards of one's own away, at once. Throws `RequestError`, `MethodError`. */
  async remove(ids: readonly Id[]): Promise<void> {
    for (let start = 0; start < ids.length; start += TOGETHER) {
      const batch = this.client.batch();
      const set = batch.add("ContactCard/set", { destroy: ids.slice(start, start + TOGETHER) });
      (await this.client.send(batch)).of(set);
    }
    void this.look();
  }

  /** Make a card. Throws `RequestError`, `MethodError`. */
  async create(account: Id, card: object): Promise<Id> {
    const batch = this.client.batch();
    const set = batch.add("ContactCard/set", { accountId: account, create: { card } });
    const answer = (await this.client.send(batch)).of(set);
    const id = answer.created?.card?.id;
    const wrong = answer.notCreated?.card;
    if (!id) throw new MethodError(wrong?.type ?? "serverFail", wrong?.description);
    void this.look();
    return id;
  }

  /** Change a card. Throws `RequestError`, `MethodError`. */
  async update(account: Id, id: Id, patch: Patch): Promise<void> {
    const batch = this.client.batch();
    const set = batch.add("ContactCard/set", { accountId: account, update: { [id]: patch } });
    const get = batch.add("ContactCard/get", { accountId: account, ids: [id] });
    const answers = await this.client.send(batch);
    const wrong = answers.of(set).notUpdated?.[id];
    if (wrong) throw new MethodError(wrong.type, wrong.description);
    const [card] = answers.maybe(get)?.list ?? [];
    if (card) this.cards.set(id, card);
    void this.look();
  }

  /** Take a card away: it is not shown any more, and goes when nobody can take that back any more. What is
      returned takes it back, if it is not too late: nothing of the card is lost then, as nothing was done. */
  destroy(account: Id, id: Id, after: number): () => boolean {
    for (const list of this.#lists.values()) list.drop(id);
    const settled = () => {
      clearTimeout(timer);
      removeEventListener("pagehide", go);
      this.#leaving.delete(id);
    };
    const go = () => {
      settled();
      const batch = this.client.batch();
      batch.add("ContactCard/set", { accountId: account, destroy: [id] });
      const look = () => void this.look();
      this.client.send(batch).then(look, look);
    };
    const timer = setTimeout(go, after);
    addEventListener("pagehide", go);
    this.#leaving.add(id);
    return () => {
      if (!this.#leaving.has(id)) return false;
      settled();
      void this.look();
      return true;
    };
  }
}
