import { beforeEach, describe, expect, it, vi } from "vitest";
import { Push, type Source } from "./push.ts";

class FakeSource implements Source {
  readyState = 1;
  closed = false;
  readonly heards = new Map<string, (event: MessageEvent<string>) => void>();
  addEventListener(name: string, heard: (event: MessageEvent<string>) => void): void {
    this.heards.set(name, heard);
  }
  close(): void {
    this.closed = true;
  }
  tell(name: string, readyState = 1): void {
    this.readyState = readyState;
    this.heards.get(name)?.({} as MessageEvent<string>);
  }
}

let sources: FakeSource[];
let news: ReturnType<typeof vi.fn<() => void>>;
let push: Push;
const last = () => sources.at(-1) as FakeSource;

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  news = vi.fn<() => void>();
  push = new Push("/events", news, () => {
    sources.push(new FakeSource());
    return last();
  });
  push.start();
  return () => vi.useRealTimers();
});

describe("news of the server", () => {
  it("is told as it comes", () => {
    last().tell("open");
    // Something may have changed before it was open.
    expect(news).toHaveBeenCalledOnce();
    last().tell("state");
    expect(news).toHaveBeenCalledTimes(2);
  });

  it("is looked for once after a connection that broke is there again", () => {
    last().tell("open");
    news.mockClear();
    last().tell("error", 0);
    last().tell("open");
    expect(news).toHaveBeenCalledOnce();
    expect(sources.length).toBe(1); // the browser tried again by itself
  });

  it("is asked for on another connection where the server refused one, later each time", () => {
    for (const [wait, count] of [
      [1_000, 2],
      [2_000, 3],
      [5_000, 4],
    ] as const) {
      last().tell("error", 2);
      vi.advanceTimersByTime(wait - 1);
      expect(sources.length).toBe(count - 1);
      vi.advanceTimersByTime(1);
      expect(sources.length).toBe(count);
    }
  });

  it("is looked for at each try, where there is no connection", () => {
    for (let n = 0; n < 8; n++) {
      last().tell("error", 2);
      vi.advanceTimersByTime(30_000);
    }
    expect(news).toHaveBeenCalledTimes(8);
  });

  it("ends with it", () => {
    last().tell("error", 2);
    push.stop();
    vi.advanceTimersByTime(60_000);
    expect(sources.length).toBe(1);
    expect(last().closed).toBe(true);
  });
});
