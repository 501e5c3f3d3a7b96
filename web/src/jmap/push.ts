/** News of the server: that something changed, never what (RFC 8620 §7.3). A connection that breaks is made
    anew; while there is none, the server is asked now and then instead. */

const RETRY = [1_000, 2_000, 5_000, 15_000, 30_000];
/** Between two looks where no news comes. */
const LOOK = 30_000;

/** Of `EventSource`, what is used here. */
export interface Source {
  readonly readyState: number;
  addEventListener(name: string, heard: (event: MessageEvent<string>) => void): void;
  close(): void;
}

export interface Timers {
  set(done: () => void, milliseconds: number): unknown;
  clear(timer: unknown): void;
}

const CLOSED = 2;
export const TIMERS: Timers = {
  set: (done, milliseconds) => setTimeout(done, milliseconds),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

export class Push {
  readonly #url: string;
  readonly #news: () => void;
  readonly #open: (url: string) => Source;
  readonly #timers: Timers;
  #source: Source | undefined;
  #timer: unknown;
  #failures = 0;
  /** At first, too: something may have changed since it was last looked. */
  #missed = true;
  #stopped = false;

  /** `news`: something may have changed. */
  constructor(
    url: string,
    news: () => void,
    open: (url: string) => Source = (url) => new EventSource(url),
    timers: Timers = TIMERS,
  ) {
    this.#url = url;
    this.#news = news;
    this.#open = open;
    this.#timers = timers;
  }

  start(): void {
    if (this.#stopped) return;
    const source = this.#open(this.#url);
    this.#source = source;
    source.addEventListener("open", () => {
      // What happened meanwhile was told to nobody.
      if (this.#missed) this.#news();
      this.#missed = false;
      this.#failures = 0;
    });
    source.addEventListener("state", () => this.#news());
    source.addEventListener("error", () => {
      this.#missed = true;
      // A browser tries again by itself until it was told no.
      if (source.readyState === CLOSED && source === this.#source) this.#later();
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#timers.clear(this.#timer);
    this.#source?.close();
  }

  #later(): void {
    const wait = RETRY[this.#failures++] ?? LOOK;
    this.#timers.clear(this.#timer);
    this.#timer = this.#timers.set(() => {
      this.#news();
      this.start();
    }, wait);
  }
}
