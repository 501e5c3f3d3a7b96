import { beforeEach, describe, expect, it, vi } from "vitest";
import { Push, type Source, TIMERS } from "./push.ts";
import { newsFrom, type Wire } from "./socket.ts";

class FakeWire implements Wire {
  onopen: Wire["onopen"] = null;
  onmessage: Wire["onmessage"] = null;
  onclose: Wire["onclose"] = null;
  readonly sent: { "@type": string }[] = [];
  closed = false;
  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }
  close(): void {
    this.closed = true;
  }
  open(): void {
    this.onopen?.({} as Event);
  }
  end(): void {
    this.onclose?.({} as CloseEvent);
  }
  tell(message: unknown): void {
    const data = typeof message === "string" ? message : JSON.stringify(message);
    this.onmessage?.({ data } as MessageEvent);
  }
}

const EVERY = 60_000;
const CHANGE = { "@type": "StateChange", changed: {} };
let wires: FakeWire[];
let events: ReturnType<typeof vi.fn<() => Source>>;
let news: ReturnType<typeof vi.fn<() => void>>;
const wire = () => wires.at(-1) as FakeWire;

beforeEach(() => {
  vi.useFakeTimers();
  wires = [];
  news = vi.fn<() => void>();
  events = vi.fn<() => Source>(() => ({ readyState: 1, addEventListener() {}, close() {} }));
  const socket = () => {
    wires.push(new FakeWire());
    return wire();
  };
  new Push("", news, newsFrom(socket, events, ["Email"], EVERY, TIMERS)).start();
  return () => vi.useRealTimers();
});

describe("news over a socket", () => {
  it("is asked for once it is open, and told as it comes", () => {
    wire().open();
    expect(wire().sent[0]).toEqual({ "@type": "WebSocketPushEnable", dataTypes: ["Email"] });
    expect(news).not.toHaveBeenCalled();
    // From the answer on the server tells; what changed before is looked for.
    wire().tell({ "@type": "Response" });
    expect(news).toHaveBeenCalledOnce();
    wire().tell(CHANGE);
    expect(news).toHaveBeenCalledTimes(2);
    wire().tell({ "@type": "Response" });
    wire().tell("no JSON");
    expect(news).toHaveBeenCalledTimes(2);
  });

  it("is looked for and asked for again after the connection broke", () => {
    wire().open();
    wire().end();
    expect(news).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(wires.length).toBe(2);
    expect(news).toHaveBeenCalledOnce();
    expect(events).not.toHaveBeenCalled();
  });

  it("comes from another connection where the server does not say that it is there", () => {
    wire().open();
    vi.advanceTimersByTime(EVERY);
    expect(wire().sent.at(-1)?.["@type"]).toBe("Request");
    wire().tell({ "@type": "Response" });
    vi.advanceTimersByTime(EVERY + 14_000);
    expect(wire().closed).toBe(false);
    vi.advanceTimersByTime(1_000);
    expect(wires[0]?.closed).toBe(true);
    vi.advanceTimersByTime(1_000);
    expect(wires.length).toBe(2);
  });

  it("comes from an event source where no socket can be opened", () => {
    wire().end();
    vi.advanceTimersByTime(1_000);
    expect(events).not.toHaveBeenCalled();
    wire().end();
    vi.advanceTimersByTime(2_000);
    expect(events).toHaveBeenCalledOnce();
    expect(wires.length).toBe(2);
  });

  it("stays with sockets where one could be opened once", () => {
    wire().open();
    for (let tries = 0; tries < 5; tries += 1) {
      wire().end();
      vi.advanceTimersByTime(30_000);
    }
    expect(events).not.toHaveBeenCalled();
    expect(wires.length).toBe(6);
  });
});
