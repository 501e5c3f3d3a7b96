/** All that is being written, and what becomes of it: opened, closed, sent, taken back, found again. */
import { msg } from "@lingui/core/macro";
import { i18n } from "../i18n/index.ts";
import type { Id, Identity, JmapClient } from "../jmap/index.ts";
import { Journal, type MailStore, Signal } from "../store/index.ts";
import { toasts } from "../ui/index.ts";
import { answer, newMessage, passOn, type Wish } from "./begin.ts";
import { clean, guardEditor } from "./clean.ts";
import { Completion } from "./completion.ts";
import { Composing, type Kept, type Place, type Desk as Shared } from "./composing.ts";
import { blank, type Draft } from "./draft.ts";
import { Outbox } from "./outbox.ts";
import { docOf } from "./schema.ts";
import { Server } from "./server.ts";
import { Uploads } from "./uploads.ts";
import { draftOf } from "./wire.ts";

/** Windows beside each other; more lie below as titles. */
const MOST_OPEN = 2;
const RICH = "malleposte.compose.plain";

export type Answering = "reply" | "replyAll" | "forward";

export class Desk extends Signal {
  readonly server: Server;
  readonly completion: Completion;
  readonly #shared: Shared;
  readonly #outbox: Outbox;
  #all: readonly Composing[] = [];
  /** On a phone one is written at a time, over everything else. */
  phone = false;

  constructor(client: JmapClient, store: MailStore) {
    super();
    guardEditor();
    this.server = new Server(client, store);
    this.completion = new Completion(client, store);
    this.#shared = {
      server: this.server,
      journal: new Journal<Kept>(`${client.account} ${client.session.username}`),
      uploads: new Uploads(client.uploads),
      read: { docOf, clean },
      words: {
        merged: () => i18n._(msg`— Also written on another device: —`),
        drafts: () => i18n._(msg`Drafts`),
      },
    };
    this.#outbox = new Outbox(this.server, this.completion, {
      open: (draft, place) => this.#add(draft, this.#place(place)),
      show: (one, place) => one.go(this.#place(place)),
      forget: (one) => this.#forget(one),
    });
    addEventListener("pagehide", this.#left);
    document.addEventListener("visibilitychange", this.#left);
  }

  readonly #left = (event: Event): void => {
    if (event.type === "pagehide") this.#outbox.leave();
    else if (document.visibilityState === "visible") return;
    for (const one of this.#all) {
      if (!one.touched) continue;
      void one.note();
      void one.save();
    }
  };

  get all(): readonly Composing[] {
    return this.#all;
  }

  /** Those that are not within a conversation. */
  get windows(): readonly Composing[] {
    return this.#all.filter(({ place }) => place !== "inline" && place !== "closed");
  }

  /** What is written below the messages of a conversation. */
  inline(threadId: Id): Composing | undefined {
    return this.#all.find(
      ({ place, draft }) => place === "inline" && draft.source?.threadId === threadId,
    );
  }

  // --- Opening ------------------------------------------------------------------------------------------------

  async compose(wish: Wish = {}): Promise<Composing> {
    const identities = await this.#identities();
    return this.#add(newMessage(identities[0], this.rich, wish), this.#place("window"));
  }

  async answer(id: Id, how: Answering): Promise<Composing | undefined> {
    const [source, identities] = await Promise.all([this.server.source(id), this.#identities()]);
    if (!source) return undefined;
    const other = this.inline(source.threadId);
    // Another answer in its place, where nobody wrote in the first; else both are wanted.
    if (other && !other.touched) this.#remove(other);
    else if (other) other.go(this.#place("window"));
    const draft =
      how === "forward"
        ? passOn(source, identities, this.rich)
        : answer(source, identities, this.rich, how === "replyAll");
    return this.#add(draft, this.#place("inline"));
  }

  /** Write on a draft of the server. */
  async edit(id: Id, place: Place = "window"): Promise<Composing | undefined> {
    const open = this.#all.find(({ draft }) => draft.emailId === id);
    if (open) {
      open.go(this.#place(place));
      return open;
    }
    const [email, identities] = await Promise.all([this.server.draft(id), this.#identities()]);
    if (!email) return undefined;
    const same = this.#all.find(({ draft }) => draft.messageId === email.messageId?.[0]);
    if (same) return same;
    const from = email.from?.[0]?.email;
    const identity = identities.find((one) => one.email === from) ?? identities[0];
    const start = { ...blank(from?.split("@").at(-1) ?? ""), identityId: identity?.id ?? null };
    return this.#add(draftOf(email, start, this.#shared.read), this.#place(place));
  }

  #place(place: Place): Place {
    return this.phone ? "full" : place;
  }

  /** Even without a connection one can write; who as is known when there is one. */
  async #identities(): Promise<readonly Identity[]> {
    return this.server.identities().catch(() => []);
  }

  #add(draft: Draft, place: Place): Composing {
    const made = new Composing(this.#shared, draft, place);
    this.#all = [...this.#all, made];
    made.subscribe(() => this.#changed(made));
    void navigator.locks?.request(lockOf(draft.key), () => this.#ending(made));
    this.#tidy(made);
    this.tell();
    return made;
  }

  readonly #ends = new Map<Composing, () => void>();

  #ending(one: Composing): Promise<void> {
    return new Promise((resolve) => this.#ends.set(one, resolve));
  }

  /** Room for the one that is written in. */
  #tidy(current: Composing): void {
    if (current.place !== "window") return;
    const open = this.#all.filter((one) => one.place === "window" && one !== current);
    for (const one of open.slice(0, Math.max(0, open.length - MOST_OPEN + 1))) one.go("small");
  }

  /** Where each is, and under which name on the server: others look different after a change. */
  readonly #known = new Map<Composing, string>();

  #changed(one: Composing): void {
    if (one.gone && !one.unsaved) {
      this.#remove(one);
      toasts.show(i18n._(msg`This draft was sent or deleted elsewhere.`));
      return;
    }
    const now = `${one.place} ${one.draft.emailId}`;
    if (this.#known.get(one) !== now) {
      this.#known.set(one, now);
      this.#tidy(one);
      this.tell();
    }
  }

  // --- Closing ------------------------------------------------------------------------------------------------

  /** Save and put away. */
  async close(one: Composing): Promise<void> {
    if (one.same && !one.draft.emailId) return this.#forget(one);
    one.go("closed");
    this.tell();
    await one.save();
    if (one.place !== "closed") return;
    if (one.unsaved && one.status === "refused") {
      one.go(this.#place("window"));
      return;
    }
    if (one.unsaved) {
      toasts.show(i18n._(msg`No connection: the draft is kept here and saved when there is one.`));
      const ended = one.subscribe(() => {
        if (one.unsaved || one.place !== "closed") return;
        ended();
        this.#forget(one);
      });
      return;
    }
    this.#forget(one);
    void this.server.store.sender.look();
  }

  /** Throw away; it can be had back for a moment. */
  async discard(one: Composing): Promise<void> {
    const { draft, touched } = one;
    this.#forget(one);
    const again = () => {
      const back = this.#add({ ...draft, emailId: null }, this.#place("window"));
      back.revive();
    };
    if (touched || draft.emailId) {
      toasts.show(i18n._(msg`Draft thrown away`), { words: i18n._(msg`Undo`), run: again });
    }
    if (draft.emailId) {
      await this.server.destroy([draft.emailId]).catch(() => undefined);
      void this.server.store.sender.look();
    }
  }

  #forget(one: Composing): void {
    void this.#shared.journal.drop(one.key);
    this.#remove(one);
  }

  #remove(one: Composing): void {
    one.end();
    this.#ends.get(one)?.();
    this.#ends.delete(one);
    this.#known.delete(one);
    this.#all = this.#all.filter((other) => other !== one);
    this.tell();
  }

  /** All of it is on the server, as far as it can be: who wrote it signs out. */
  async flush(): Promise<boolean> {
    await Promise.all(this.#all.filter(({ touched }) => touched).map((one) => one.save()));
    return !this.#all.some(({ unsaved }) => unsaved);
  }

  // --- Sending ------------------------------------------------------------------------------------------------

  /** Send, now or not before `at`. What is missing was asked for before. */
  send(one: Composing, at?: Date): Promise<void> {
    return this.#outbox.send(one, at);
  }

  // --- Found again --------------------------------------------------------------------------------------------

  /** What a tab left behind that was ended while one wrote. */
  async restore(): Promise<number> {
    let found = 0;
    for (const { key, draft: kept } of await this.#shared.journal.entries()) {
      if (this.#all.some((one) => one.key === key)) continue;
      if (!(await isFree(key))) continue;
      found += 1;
      const one = this.#add(kept.draft, kept.sending ? "closed" : this.#place("window"));
      await one.files.resume();
      if (kept.sending) {
        one.at = kept.at;
        void this.#outbox.again(one);
      } else await this.#compare(one);
    }
    return found;
  }

  /** The server may have a version that the tab saved in its last moment. */
  async #compare(one: Composing): Promise<void> {
    one.revive();
    await one.save();
  }

  get rich(): boolean {
    return localStorage.getItem(RICH) !== "1";
  }

  set rich(on: boolean) {
    if (on) localStorage.removeItem(RICH);
    else localStorage.setItem(RICH, "1");
  }

  stop(): void {
    removeEventListener("pagehide", this.#left);
    document.removeEventListener("visibilitychange", this.#left);
    for (const one of this.#all) {
      if (one.touched) void one.note();
      one.end();
      this.#ends.get(one)?.();
    }
    this.#all = [];
  }
}

const lockOf = (key: string) => `malleposte-draft-${key}`;

/** Whether no other tab writes in it. */
async function isFree(key: string): Promise<boolean> {
  const held = await navigator.locks?.query();
  return !held?.held?.some(({ name }) => name === lockOf(key));
}
