/** Writing mail, as the rest of the client reaches it: the editor and all that goes with it is loaded when
    somebody wants to write, or a moment after everything else is there. */
import { createContext, useContext, useSyncExternalStore } from "react";
import type { Id } from "../jmap/index.ts";
import { Journal, Signal } from "../store/index.ts";
import type { MailSession } from "./session.ts";

type Piece = typeof import("../compose/index.ts");
export type Answering = "reply" | "replyAll" | "forward";

export interface Wish {
  readonly to?: readonly { readonly name: string | null; readonly email: string }[];
  readonly subject?: string;
}

/** Until it is loaded for whoever will write. */
const SOON = 4_000;
/** Between two looks whether what was to be sent later has gone. */
const SETTLING = 60_000;

export class Writing extends Signal {
  readonly #session: MailSession;
  #loading: Promise<void> | undefined;
  #timers: ReturnType<typeof setTimeout>[] = [];
  piece: Piece | undefined;
  desk: InstanceType<Piece["Desk"]> | undefined;
  phone = false;
  #stopped = false;

  constructor(session: MailSession) {
    super();
    this.#session = session;
  }

  /** Find again what a tab left behind that was ended; then be ready. */
  start(): void {
    const { client } = this.#session;
    const journal = new Journal(`${client.account} ${client.session.username}`);
    void journal.entries().then(async (left) => {
      await journal.close();
      if (left.length) await this.#with(({ desk }) => desk.restore());
    });
    this.#timers.push(setTimeout(() => void this.#load(), SOON));
    this.#later(SOON);
  }

  stop(): void {
    this.#stopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.desk?.stop();
  }

  /** Whether all that was written is on the server. */
  async flush(): Promise<boolean> {
    return this.desk ? this.desk.flush() : true;
  }

  compose(wish?: Wish): void {
    void this.#with(({ desk }) => desk.compose(wish));
  }

  /** As a link to an address says it (RFC 6068). */
  mailto(href: string): void {
    void this.#with(({ desk, piece }) => desk.compose(piece.wishOf(href)));
  }

  answer(id: Id, how: Answering): void {
    void this.#with(({ desk }) => desk.answer(id, how));
  }

  edit(id: Id, place?: "inline" | "window"): void {
    void this.#with(({ desk }) => desk.edit(id, place));
  }

  async #with(
    what: (here: { desk: NonNullable<Writing["desk"]>; piece: Piece }) => Promise<unknown>,
  ): Promise<void> {
    await this.#load();
    const { desk, piece } = this;
    if (desk && piece) {
      desk.phone = this.phone;
      await what({ desk, piece });
    }
  }

  #load(): Promise<void> {
    this.#loading ??= import("../compose/index.ts").then((piece) => {
      if (this.#stopped) return;
      this.piece = piece;
      this.desk = new piece.Desk(this.#session.client, this.#session.store);
      this.tell();
    });
    // Without a connection it is tried again the next time.
    this.#loading.catch(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** What was to be sent later and has gone is like all else that was sent. */
  #settle(): void {
    const { store, client } = this.#session;
    const batch = client.batch();
    const query = batch.add("Email/query", { filter: { hasKeyword: "$scheduled" }, limit: 100 });
    const all = batch.add("EmailSubmission/query", { filter: { undoStatus: "pending" } });
    const waiting = batch.add("EmailSubmission/get", {
      "#ids": all.ref("/ids"),
      properties: ["id", "emailId"],
    });
    client
      .send(batch)
      .then(async (answers) => {
        const still = new Set(answers.of(waiting).list.map(({ emailId }) => emailId));
        const { ids } = answers.of(query);
        const gone = ids.filter((id) => !still.has(id));
        if (gone.length) {
          const put = client.batch();
          const plain = { "keywords/$scheduled": null };
          put.add("Email/set", { update: Object.fromEntries(gone.map((id) => [id, plain])) });
          await client.send(put);
          await store.sender.look();
        }
        if (ids.length && !this.#stopped) this.#later(SETTLING);
      })
      .catch(() => undefined);
  }

  #later(wait: number): void {
    this.#timers.push(setTimeout(() => this.#settle(), wait));
  }
}

export const WritingContext = createContext<Writing | undefined>(undefined);

/** Draws anew once the editor is there. */
export function useWriting(): Writing {
  const writing = useContext(WritingContext);
  if (!writing) throw new Error("useWriting is for what is within Mail");
  useSyncExternalStore(writing.subscribe, () => writing.version);
  return writing;
}
