/** What was sent and has not arrived yet: held for a moment, handed over, tried again, taken back. */
import { msg } from "@lingui/core/macro";
import { i18n } from "../i18n/index.ts";
import { type Id, MethodError, RequestError } from "../jmap/index.ts";
import { toasts } from "../ui/index.ts";
import type { Completion } from "./completion.ts";
import type { Composing, Place } from "./composing.ts";
import type { Draft } from "./draft.ts";
import { longestDelay, NotSent, type Sent, send, unsend, wasSent } from "./sending.ts";
import type { Server } from "./server.ts";
import { renamed } from "./wire.ts";

const RETRY = 5_000;
/** How long a message is held here, where the server cannot hold it. */
const HELD = 10_000;

/** Where messages come from, and go back to. */
export interface Room {
  open(draft: Draft, place: Place): Composing;
  show(one: Composing, place: Place): void;
  forget(one: Composing): void;
}

export class Outbox {
  readonly #server: Server;
  readonly #completion: Completion;
  readonly #room: Room;

  constructor(server: Server, completion: Completion, room: Room) {
    this.#server = server;
    this.#completion = completion;
    this.#room = room;
  }

  /** Send, now or not before `at`. What is missing was asked for before. */
  async send(one: Composing, at?: Date): Promise<void> {
    const before = one.place;
    one.go("closed");
    if (one.files.busy) {
      toasts.show(i18n._(msg`Sent as soon as the files are there`));
      await one.files.settled();
      if (one.files.failed) {
        this.#room.show(one, before);
        return;
      }
    }
    one.sending = true;
    one.at = at;
    await Promise.all([one.idle(), one.note()]);
    if (at || longestDelay(this.#server) || (await this.#hold(one))) {
      await this.#hand(one, at, before);
    } else {
      one.sending = false;
      this.#room.show(one, before);
      one.revive();
    }
  }

  readonly #held = new Map<Composing, (goes: boolean) => void>();

  /** Wait here a moment, in which it can be taken back; false: it was. Who leaves the page means it to go. */
  async #hold(one: Composing): Promise<boolean> {
    const goes = await new Promise<boolean>((resolve) => {
      this.#held.set(one, resolve);
      setTimeout(() => resolve(true), HELD);
      toasts.show(i18n._(msg`Message sent`), {
        words: i18n._(msg`Undo`),
        run: () => resolve(false),
      });
    });
    this.#held.delete(one);
    return goes;
  }

  async #hand(one: Composing, at: Date | undefined, before: Place, tries = 0): Promise<void> {
    const server = this.#server;
    try {
      // Whether the request before arrived and its answer did not, the server knows.
      if (tries && (await wasSent(server, one.draft))) {
        this.#sent(one, undefined, at, before);
        return;
      }
      const identities = await server.identities();
      const { draft } = one;
      const identity = identities.find(({ id }) => id === draft.identityId) ?? identities[0];
      if (!identity) throw new MethodError("forbiddenFrom");
      const names = {
        drafts: i18n._(msg`Drafts`),
        sent: i18n._(msg`Sent`),
      };
      const sent = await send(server, draft, identity, at, names);
      this.#sent(one, sent, at, before);
    } catch (error) {
      if (error instanceof RequestError && error.trouble !== "refused") {
        if (!tries) toasts.show(i18n._(msg`No connection: it is sent as soon as there is one.`));
        await pause(error.wait * 1_000 || RETRY);
        return this.#hand(one, at, before, tries + 1);
      }
      one.sending = false;
      if (error instanceof NotSent) {
        one.prepare(await this.#had(one.draft, error.emailId));
        one.refuse(new MethodError(error.type));
      } else one.refuse(error);
      one.notSent = one.refusal;
      this.#room.show(one, before === "closed" ? "window" : before);
      void one.note();
      one.tell();
    }
  }

  /** The last version is a draft on the server; what is attached has the names that it has there. */
  async #had(draft: Draft, emailId: Id): Promise<Draft> {
    const blobs = draft.attachments.length ? await this.#server.blobs(emailId).catch(() => []) : [];
    return { ...draft, emailId, attachments: renamed(draft, blobs) };
  }

  #sent(one: Composing, sent: Sent | undefined, at: Date | undefined, before: Place): void {
    const { draft } = one;
    const { store } = this.#server;
    const keyword = draft.mode === "forward" ? "$forwarded" : "$answered";
    const source = draft.source ? store.emails.get(draft.source.id) : undefined;
    if (draft.mode !== "new") this.#server.mark(source, keyword, true);
    this.#completion.used([...draft.to, ...draft.cc, ...draft.bcc]);
    this.#room.forget(one);
    const words = at ? i18n._(msg`It is sent later`) : i18n._(msg`Message sent`);
    if (!sent?.held) {
      if (at || longestDelay(this.#server)) toasts.show(words);
      return;
    }
    const run = async () => {
      const back = await unsend(this.#server, sent).catch(() => false);
      if (!back) {
        toasts.show(i18n._(msg`It is on its way and cannot be taken back.`));
        return;
      }
      if (draft.mode !== "new") this.#server.mark(source, keyword, false);
      this.#room.open(await this.#had(draft, sent.emailId), before).revive();
      toasts.show(i18n._(msg`Sending undone`));
    };
    toasts.show(words, { words: i18n._(msg`Undo`), run: () => void run() });
  }

  /** It was sent in a tab that is gone; whether it went, the server knows. */
  again(one: Composing): Promise<void> {
    one.sending = true;
    return this.#hand(one, one.at, "window", 1);
  }

  /** The page is left: what is held here goes. */
  leave(): void {
    for (const go of this.#held.values()) go(true);
  }
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    addEventListener("online", () => [clearTimeout(timer), resolve()], { once: true });
  });
