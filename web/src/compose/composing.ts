/** One message that is being written: its draft, and how far that is saved. What changes is kept in the browser
    within a second, and on the server a moment after one pauses. */
import { type Id, MethodError, RequestError } from "../jmap/index.ts";
import { type Journal, Signal } from "../store/index.ts";
import { type Draft, isBlank, merged, ownText } from "./draft.ts";
import { Files } from "./files.ts";
import { NotSaved, type Server } from "./server.ts";
import type { Uploads } from "./uploads.ts";
import { draftOf, type Reading } from "./wire.ts";

/** Milliseconds from a change until it is in the browser's journal; and while one goes on typing. */
const NOTED = 250;
/** Until it is on the server, once one pauses; and at the longest. */
const PAUSED = 1_200;
const LONGEST = 8_000;
const RETRY = [2_000, 5_000, 10_000, 30_000];

export type Place = "inline" | "window" | "small" | "full" | "closed";
/** `waits`: the server cannot be reached; it is kept here. `refused`: the server does not take it. */
export type Status = "fresh" | "changed" | "saving" | "saved" | "waits" | "refused";

/** What one needs to be written: shared by all. */
export interface Desk {
  readonly server: Server;
  readonly journal: Journal<Kept>;
  readonly uploads: Uploads;
  readonly read: Reading;
  /** Words for people, in their language. */
  readonly words: { merged(): string; drafts(): string };
}

/** What the journal holds of one. */
export interface Kept {
  readonly draft: Draft;
  readonly place: Place;
  /** It was sent, and the server may not have heard of it. */
  readonly sending: boolean;
  /** When it is to be sent, where that is later. */
  readonly at: Date | undefined;
}

export class Composing extends Signal {
  draft: Draft;
  place: Place;
  status: Status = "fresh";
  /** Why the server refused it, of the kinds of RFC 8620 §5.3. */
  refusal = "";
  /** The same of sending it, until the writer changes something. */
  notSent = "";
  sending = false;
  at: Date | undefined;
  /** Another device saved it meanwhile: its text is here too. */
  joined = false;
  /** It was sent or deleted elsewhere. */
  gone = false;
  readonly files: Files;
  readonly #desk: Desk;
  /** The version before anybody wrote in it; one that is still the same is nobody's draft. */
  readonly #first: string;
  #revision = 0;
  #saved = 0;
  #noting: ReturnType<typeof setTimeout> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  #watched: (() => void) | undefined;
  #ended = false;

  constructor(desk: Desk, draft: Draft, place: Place) {
    super();
    this.#desk = desk;
    this.draft = draft;
    this.place = place;
    this.files = new Files(desk, this);
    this.#first = content(draft);
    if (draft.emailId) this.status = "saved";
    this.#watch();
  }

  get key(): string {
    return this.draft.key;
  }

  /** Whether anybody wrote in it. */
  get touched(): boolean {
    return this.#revision > 0;
  }

  get unsaved(): boolean {
    return this.#revision > this.#saved;
  }

  /** What the writer does. */
  change(part: Partial<Draft>): void {
    if (this.#ended) return;
    this.draft = { ...this.draft, ...part };
    this.#revision += 1;
    this.status = "changed";
    this.notSent = "";
    this.#note();
    this.#later();
    this.tell();
  }

  /** What is set up for the writer, and is no change of theirs. */
  prepare(part: Partial<Draft>): void {
    this.draft = { ...this.draft, ...part };
    this.tell();
  }

  go(place: Place): void {
    if (this.place === place) return;
    this.place = place;
    if (this.touched) this.#note();
    this.tell();
  }

  /** It was found again in the journal: what it holds may be newer than what the server has. */
  revive(): void {
    this.#revision += 1;
    this.status = "changed";
    this.#later();
    this.tell();
  }

  #note(): void {
    this.#noting ??= setTimeout(() => void this.note(), NOTED);
  }

  /** Into the journal, now. */
  async note(): Promise<void> {
    clearTimeout(this.#noting);
    this.#noting = undefined;
    if (this.#ended) return;
    const { draft, place, sending, at } = this;
    await this.#desk.journal.put(this.key, { draft, place, sending, at });
  }

  #later(wait = PAUSED): void {
    if (this.sending) return;
    this.#since ||= Date.now();
    clearTimeout(this.#timer);
    const left = this.#since + LONGEST - Date.now();
    this.#timer = setTimeout(() => void this.save(), Math.max(0, Math.min(wait, left)));
  }

  /** Onto the server, now, if it is not there. The promise ends when it is, or cannot be. */
  save(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** When nothing of it is on its way to the server. */
  idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #run(): Promise<void> {
    while (this.unsaved && !this.#ended && !this.sending && !this.gone) {
      if (!this.draft.emailId && isBlank(this.draft)) {
        this.#saved = this.#revision;
        this.status = "fresh";
        this.tell();
        return;
      }
      const revision = this.#revision;
      this.#since = 0;
      this.#say("saving");
      try {
        await this.#once();
        this.#saved = Math.max(this.#saved, revision);
        this.#failures = 0;
        this.refusal = "";
      } catch (error) {
        if (error instanceof RequestError && error.trouble !== "refused") {
          this.#say("waits");
          this.#since = 0;
          const wait = error.wait * 1_000 || (RETRY[this.#failures++] ?? 30_000);
          this.#timer = setTimeout(() => void this.save(), wait);
          return;
        }
        this.refuse(error);
        return;
      }
      if (this.unsaved) return this.#later();
    }
    if (!this.#ended && !this.unsaved && this.draft.emailId) this.#say("saved");
  }

  /** The server does not take it, and why. Throws what is no such answer. */
  refuse(error: unknown): void {
    if (error instanceof NotSaved) {
      if (error.gone) this.prepare({ emailId: null });
      if (error.gone || error.type === "blobNotFound") void this.files.renew();
      this.refusal = error.type;
    } else if (error instanceof MethodError) this.refusal = error.type;
    else if (error instanceof RequestError) this.refusal = "refused";
    else throw error;
    this.#say("refused");
  }

  async #once(): Promise<void> {
    const { server } = this.#desk;
    const mailbox = await server.store.mailboxFor("drafts", this.#desk.words.drafts());
    if (!mailbox) throw new MethodError("notFound");
    const identities = await server.identities();
    const { draft } = this;
    const identity = identities.find(({ id }) => id === draft.identityId) ?? identities[0];
    const before = draft.emailId;
    this.#unwatch();
    const saved = await server.save(draft, identity, mailbox.id);
    // Meanwhile the writer went on: only what the server said is taken over.
    this.draft = { ...this.draft, emailId: saved.emailId };
    this.files.saved(draft, saved.blobs);
    this.#watch();
    void this.note();
    if (saved.lost && before) await this.#join();
  }

  /** The version that was to be replaced is gone: another one may have taken its place. No text is lost, and one
      draft is left. */
  async #join(): Promise<void> {
    const { server, read, words } = this.#desk;
    const { drafts, sent } = await server.versions(this.draft);
    for (const email of drafts) {
      const theirs = draftOf(email, this.draft, read);
      const before = content(this.draft);
      const after = merged(this.draft, theirs, words.merged());
      if (content(after) !== before) {
        this.joined ||= ownText(after) !== ownText(this.draft);
        this.draft = after;
        this.#revision += 1;
        this.refill();
      }
      await server.destroy([email.id]);
    }
    if (sent && !drafts.length) {
      // It was sent elsewhere; what is written on here is another message.
      const [, domain] = this.draft.messageId.split("@");
      this.prepare({ messageId: `${crypto.randomUUID()}@${domain}` });
      this.#revision += 1;
    }
    this.tell();
  }

  /** Told when the text was changed by something else than its editor. */
  readonly refilled = new Signal();

  refill(): void {
    this.refilled.tell();
    this.tell();
  }

  /** Notice when another device saves, sends or deletes it. */
  #watch(): void {
    this.#unwatch();
    const id = this.draft.emailId;
    const { emails } = this.#desk.server.store;
    if (!id || this.#ended) return;
    this.#watched = emails.shown.subscribe(id, () => {
      if (!emails.known(id) && this.draft.emailId === id) void this.#follow(id);
    });
  }

  #unwatch(): void {
    this.#watched?.();
    this.#watched = undefined;
  }

  async #follow(id: Id): Promise<void> {
    // What is unsaved is saved, and finds out there.
    if (this.#running || this.unsaved || this.sending) return;
    const { server, read } = this.#desk;
    const { drafts } = await server.versions(this.draft).catch(() => ({ drafts: [] }));
    if (this.unsaved || this.draft.emailId !== id || this.#ended) return;
    const newest = drafts[0];
    if (newest) {
      this.draft = draftOf(newest, this.draft, read);
      this.refill();
      this.#watch();
    } else {
      this.gone = true;
      this.tell();
    }
  }

  #say(status: Status): void {
    this.status = status;
    this.tell();
  }

  /** Nothing more comes of it here: it is sent, thrown away, or closed and saved. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#noting);
    this.#unwatch();
    this.files.end();
  }

  /** Whether it is as it was opened. */
  get same(): boolean {
    return content(this.draft) === this.#first;
  }
}

/** What a writer would call the draft. */
function content(draft: Draft): string {
  const { to, cc, bcc, subject, rich, doc, text, attachments, quote } = draft;
  const files = attachments.map(({ name, size, cid }) => [name, size, cid]);
  return JSON.stringify([to, cc, bcc, subject, rich, rich ? doc : text, files, Boolean(quote)]);
}
