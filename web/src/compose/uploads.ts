/** Files on their way to the server: how far they are, again after a failure, and ended on request. */
import type { Id } from "../jmap/index.ts";

export type Outcome =
  | { readonly kind: "done"; readonly blobId: Id; readonly type: string; readonly size: number }
  /** The server does not take it. */
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "ended" };

/** Seconds until it is tried again. A network that comes back is not waited for any longer. */
const RETRY = [1, 2, 5, 10, 20, 30];
/** At a time; the server has a limit of its own for each account. */
const MOST = 2;

interface Job {
  readonly file: Blob;
  readonly type: string;
  readonly progress: (part: number | "waits") => void;
  readonly done: (outcome: Outcome) => void;
  failures: number;
  request: XMLHttpRequest | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
  ended: boolean;
}

export class Uploads {
  readonly #path: string;
  #waiting: Job[] = [];
  readonly #running = new Set<Job>();

  /** `path`: where files go, on the server that the page is of. */
  constructor(path: string) {
    this.#path = path;
    addEventListener("online", () => this.#again());
  }

  /** Send a file. `progress`: a part of 1, or that it waits for a connection. The function returned ends it. */
  send(file: Blob, type: string, progress: Job["progress"], done: Job["done"]): () => void {
    const job: Job = {
      file,
      type: type || "application/octet-stream",
      progress,
      done,
      failures: 0,
      request: undefined,
      timer: undefined,
      ended: false,
    };
    this.#waiting.push(job);
    this.#next();
    return () => {
      job.ended = true;
      clearTimeout(job.timer);
      job.request?.abort();
      this.#waiting = this.#waiting.filter((one) => one !== job);
      this.#finish(job, { kind: "ended" });
    };
  }

  #next(): void {
    while (this.#running.size < MOST) {
      const job = this.#waiting.shift();
      if (!job) return;
      this.#running.add(job);
      this.#start(job);
    }
  }

  #start(job: Job): void {
    const request = new XMLHttpRequest();
    job.request = request;
    request.open("POST", this.#path);
    request.setRequestHeader("Content-Type", job.type);
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) =>
      job.progress(total ? Math.min(0.99, loaded / total) : 0);
    request.onload = () => {
      const { status, response } = request;
      if (status >= 200 && status < 300 && response?.blobId) {
        const { blobId, type, size } = response;
        this.#finish(job, { kind: "done", blobId, type, size });
      } else if (status === 429 || status >= 500 || this.#isBusy(status, response)) {
        this.#later(job, Number(request.getResponseHeader("Retry-After")));
      } else this.#finish(job, { kind: "refused", status });
    };
    request.onerror = () => this.#later(job, 0);
    request.ontimeout = () => this.#later(job, 0);
    job.progress(0);
    request.send(job.file);
  }

  /** More at a time than the server takes: it says so, and is asked again. */
  #isBusy(status: number, response: unknown): boolean {
    const limit = (response as { limit?: string } | null)?.limit;
    return status === 400 && limit === "maxConcurrentUpload";
  }

  #later(job: Job, asked: number): void {
    if (job.ended) return;
    job.request = undefined;
    job.progress("waits");
    const wait = asked || (RETRY[job.failures++] ?? 30);
    job.timer = setTimeout(() => this.#start(job), wait * 1_000);
  }

  #again(): void {
    for (const job of this.#running) {
      if (job.request || job.ended) continue;
      clearTimeout(job.timer);
      job.failures = 0;
      this.#start(job);
    }
  }

  #finish(job: Job, outcome: Outcome): void {
    if (!this.#running.delete(job) && outcome.kind !== "ended") return;
    job.done(outcome);
    this.#next();
  }
}
