/** What is attached to one draft: on its way, on the server, or refused. */
import type { Id } from "../jmap/index.ts";
import type { Composing, Desk } from "./composing.ts";
import { type Attachment, type Draft, weight } from "./draft.ts";
import { renamed } from "./wire.ts";

/** How far one is: a part of 1, or what holds it up. */
export type Progress = number | "waits" | "failed";

export class Files {
  readonly #desk: Desk;
  readonly #composing: Composing;
  readonly #ends = new Map<string, () => void>();
  readonly #progress = new Map<string, Progress>();
  /** Pictures as they are shown before they are on the server, by Content-ID. */
  readonly #urls = new Map<string, string>();
  #settled: (() => void)[] = [];

  constructor(desk: Desk, composing: Composing) {
    this.#desk = desk;
    this.#composing = composing;
  }

  /** Octets of all attachments of a message together, before they are encoded for their way. */
  get most(): number {
    const { session, account } = this.#desk.server.client;
    const mail = session.accounts[account]?.accountCapabilities["urn:ietf:params:jmap:mail"];
    return (
      (mail as { maxSizeAttachmentsPerEmail?: number } | undefined)?.maxSizeAttachmentsPerEmail ??
      25_000_000
    );
  }

  progress(key: string): Progress | undefined {
    return this.#progress.get(key);
  }

  /** Whether some are not on the server yet. */
  get busy(): boolean {
    return this.#ends.size > 0;
  }

  get failed(): boolean {
    return [...this.#progress.values()].includes("failed");
  }

  /** Take files; those that no longer fit are answered, and stay out. `cid`: of a picture in the text. */
  add(files: readonly File[], cid: string | null = null): File[] {
    const over: File[] = [];
    const { draft } = this.#composing;
    let sum = weight(draft);
    const taken: [Attachment, File][] = [];
    for (const file of files) {
      if (sum + file.size > this.most) {
        over.push(file);
        continue;
      }
      sum += file.size;
      const name = file.name || "file";
      const { type, size } = file;
      const key = crypto.randomUUID();
      const media = type || "application/octet-stream";
      taken.push([{ key, name, type: media, size, blobId: null, cid }, file]);
    }
    if (!taken.length) return over;
    const attachments = [...draft.attachments, ...taken.map(([one]) => one)];
    if (cid && taken[0]) this.#urls.set(cid, URL.createObjectURL(taken[0][1]));
    this.#composing.change({ attachments });
    for (const [one, file] of taken) {
      void this.#desk.journal.putFile(this.#composing.key, one.key, file);
      this.#send(one, file);
    }
    return over;
  }

  /** What a journal held and the server did not get. */
  async resume(): Promise<void> {
    for (const one of this.#composing.draft.attachments) {
      if (one.blobId || this.#ends.has(one.key)) continue;
      const file = await this.#desk.journal.file(this.#composing.key, one.key);
      if (file) {
        if (one.cid) this.#urls.set(one.cid, URL.createObjectURL(file));
        this.#send(one, file);
      } else this.#progress.set(one.key, "failed");
    }
    this.#composing.tell();
  }

  readonly #renewed = new Set<string>();

  /** What the server had is gone with the version it belonged to: it is sent again, or had from where it came. */
  async renew(): Promise<void> {
    for (const one of this.#composing.draft.attachments) {
      if (!one.blobId || this.#ends.has(one.key)) continue;
      const file = await this.#desk.journal.file(this.#composing.key, one.key);
      const again = !this.#renewed.has(one.key);
      this.#renewed.add(one.key);
      if (again && one.origin) this.#put(one.key, { blobId: one.origin });
      else if (again && file) {
        this.#put(one.key, { blobId: null });
        this.#send(one, file);
      }
    }
  }

  #send(one: Attachment, file: Blob): void {
    const { key } = one;
    let told = 0;
    const end = this.#desk.uploads.send(
      file,
      one.type,
      (progress) => {
        this.#progress.set(key, progress);
        const now = Date.now();
        if (typeof progress === "string" || now - told > 80) {
          told = now;
          this.#composing.tell();
        }
      },
      (outcome) => {
        this.#ends.delete(key);
        this.#progress.delete(key);
        if (outcome.kind === "done") this.#put(key, { blobId: outcome.blobId, size: outcome.size });
        else if (outcome.kind === "refused") this.#progress.set(key, "failed");
        this.#composing.tell();
        if (!this.busy) {
          for (const settled of this.#settled.splice(0)) settled();
        }
      },
    );
    this.#ends.set(key, end);
  }

  #put(key: string, part: Partial<Attachment>): void {
    const { attachments } = this.#composing.draft;
    if (!attachments.some((one) => one.key === key)) return;
    this.#composing.change({
      attachments: attachments.map((one) => (one.key === key ? { ...one, ...part } : one)),
    });
  }

  remove(key: string): void {
    this.#ends.get(key)?.();
    this.#progress.delete(key);
    void this.#desk.journal.dropFile(this.#composing.key, key);
    const { attachments } = this.#composing.draft;
    this.#composing.change({ attachments: attachments.filter((one) => one.key !== key) });
  }

  /** A version was saved, with its files by these names. */
  saved(version: Draft, blobs: readonly (Id | null)[]): void {
    this.#composing.prepare({ attachments: renamed(version, blobs, this.#composing.draft) });
  }

  /** When all are on the server or failed. */
  settled(): Promise<void> {
    return this.busy ? new Promise((resolve) => this.#settled.push(resolve)) : Promise.resolve();
  }

  /** Where a picture of the text is shown from. */
  urlOf(cid: string): string {
    const local = this.#urls.get(cid);
    if (local) return local;
    const found = this.#composing.draft.attachments.find((one) => one.cid === cid);
    if (!found?.blobId) return "";
    return this.#desk.server.client.download(found.blobId, found.name || "picture", found.type);
  }

  end(): void {
    for (const end of [...this.#ends.values()]) end();
    for (const url of this.#urls.values()) URL.revokeObjectURL(url);
  }
}
