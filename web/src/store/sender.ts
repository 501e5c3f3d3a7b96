/** What was done here, on its way to the server: one request at a time, all that waits in it, and behind it
    what changed. So every answer is newer than the one before, and what is shown never goes back.

    Without a connection it waits and tries again: a deed sent twice is done once, since it says what is to be,
    not what is to be changed. */

import type { Answers, Call, Id, Transport } from "../jmap/index.ts";
import { MethodError, type Patch, RequestError, type Trouble } from "../jmap/index.ts";
import { Signal } from "./keyed.ts";
import type { MessageList } from "./list.ts";
import { Catching, type Replica } from "./sync.ts";

const RETRY = [1_000, 2_000, 5_000, 10_000, 30_000];
/** Deeds that go in one request. */
const MOST = 32;

/** Requests for what changed, one after the other; past that it is quicker to look up what is shown. */
const MOST_ROUNDS = 8;

export interface Job {
  /** Of `Emails.begin`. */
  readonly token: number;
  readonly patches: Readonly<Record<Id, Patch>>;
  /** Rows that it puts away, by list, with their places. */
  readonly away: readonly (readonly [MessageList, ReadonlyMap<Id, number>])[];
  state: "waits" | "sent" | "done" | "failed";
  /** Whether it is taken back already: what it puts away is to be seen again. */
  undone: boolean;
}

export class Sender {
  /** Told when `trouble` changes. */
  readonly signal = new Signal();
  /** Told when what waits, or is on its way, changes. */
  readonly queued = new Signal();
  /** Why nothing goes out at the moment. */
  trouble: Trouble | "" = "";
  readonly #transport: Transport;
  readonly #replica: Replica;
  readonly #lists: () => readonly MessageList[];
  readonly #lost: () => Promise<void>;
  readonly #failed: (job: Job) => void;
  #queue: Job[] = [];
  #look = false;
  #running: Promise<void> | undefined;
  #failures = 0;
  #rounds = 0;
  #wake: (() => void) | undefined;

  /** `lists`: those that are shown. `lost`: so much changed that all must be looked up anew. `failed`: a deed
      was refused and taken back. */
  constructor(
    transport: Transport,
    replica: Replica,
    on: {
      lists: () => readonly MessageList[];
      lost: () => Promise<void>;
      failed: (job: Job) => void;
    },
  ) {
    this.#transport = transport;
    this.#replica = replica;
    this.#lists = on.lists;
    this.#lost = on.lost;
    this.#failed = on.failed;
  }

  send(job: Job): void {
    this.#line([...this.#queue, job]);
    this.#go();
  }

  /** What is not known to have arrived. */
  get waiting(): readonly Job["patches"][] {
    return this.#queue.map(({ patches }) => patches);
  }

  /** Take back what did not leave yet. */
  recall(job: Job): boolean {
    if (job.state !== "waits") return false;
    this.#line(this.#queue.filter((one) => one !== job));
    this.#drop(job);
    return true;
  }

  /** The page is left: what waits goes now, and nobody hears whether it arrived. If the page comes back it goes
      again, which changes nothing. */
  leave(): void {
    const jobs = this.#queue.filter(({ state }) => state === "waits").slice(0, MOST);
    if (!jobs.length) return;
    const batch = this.#transport.batch();
    for (const job of jobs) batch.add("Email/set", { update: job.patches });
    this.#transport.send(batch).catch(() => undefined);
  }

  /** Ask what changed; the promise ends when it is known, or cannot be. */
  look(): Promise<void> {
    this.#look = true;
    return this.#go();
  }

  #go(): Promise<void> {
    this.#wake?.();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    // Deeds of one moment go together.
    await Promise.resolve();
    while (this.#queue.length || this.#look) {
      const jobs = this.#queue.slice(0, MOST);
      const looked = this.#look;
      this.#look = false;
      try {
        await this.#once(jobs);
        this.#say("");
        this.#failures = 0;
      } catch (error) {
        if (!(error instanceof RequestError)) throw error;
        this.#say(error.trouble);
        this.#look ||= looked;
        for (const job of jobs) job.state = "waits";
        if (error.trouble === "signedOut") return;
        if (error.trouble === "refused") {
          this.#line(this.#queue.filter((job) => !jobs.includes(job)));
          for (const job of jobs) this.#fail(job);
          this.#look = false;
          continue;
        }
        await this.#pause(error.wait * 1_000 || (RETRY[this.#failures++] ?? 30_000));
      }
    }
  }

  async #once(jobs: readonly Job[]): Promise<void> {
    const batch = this.#transport.batch();
    const sets = jobs.map((job) => {
      job.state = "sent";
      return [job, batch.add("Email/set", { update: job.patches })] as const;
    });
    const catching = new Catching(batch, this.#replica, this.#lists());
    const answers = await this.#transport.send(batch);
    this.#line(this.#queue.filter((job) => !jobs.includes(job)));
    for (const [job, call] of sets) this.#settle(job, call, answers);
    const caught = catching.take(answers);
    catching.takeLists(answers);
    for (const job of jobs) {
      this.#replica.mailboxes.end(job.token);
      if (job.state === "done") this.#seen(job);
    }
    this.#rounds = caught === "more" ? this.#rounds + 1 : 0;
    if (caught === "lost" || this.#rounds > MOST_ROUNDS) {
      this.#rounds = 0;
      await this.#lost();
    } else if (caught === "more") this.#look = true;
  }

  #settle(job: Job, call: Call<"Email/set">, answers: Answers): void {
    try {
      const refused = new Set(Object.keys(answers.of(call).notUpdated ?? {}));
      if (refused.size === Object.keys(job.patches).length) throw new MethodError("notUpdated");
      this.#replica.emails.confirm(job.token, refused);
      job.state = "done";
    } catch (error) {
      if (!(error instanceof MethodError)) throw error;
      this.#fail(job);
    }
  }

  /** A deed is confirmed, and lists are as the server has them. */
  #seen(job: Job): void {
    if (job.undone) {
      for (const [list, places] of job.away) list.restore(places);
      return;
    }
    for (const [list, places] of job.away) {
      if (!list.canCalculateChanges) list.drop(places.keys());
      list.unhide(places.keys());
    }
  }

  #fail(job: Job): void {
    this.#drop(job);
    this.#failed(job);
  }

  #drop(job: Job): void {
    job.state = "failed";
    this.#replica.emails.cancel(job.token);
    this.#replica.mailboxes.end(job.token);
    if (!job.undone) for (const [list, places] of job.away) list.unhide(places.keys());
  }

  #line(jobs: Job[]): void {
    if (jobs.length === this.#queue.length) return;
    this.#queue = jobs;
    this.queued.tell();
  }

  #say(trouble: Trouble | ""): void {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.signal.tell();
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
