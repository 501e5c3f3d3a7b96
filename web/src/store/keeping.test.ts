import "fake-indexeddb/auto";
import { afterEach, describe, expect, it, vi } from "vitest";
import { forgetOutbox, Journal, keepNothing, keeps, Outbox } from "./index.ts";

function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  } as unknown as Storage;
}

describe("on a device that is not one's own", () => {
  afterEach(async () => {
    vi.unstubAllGlobals();
    await forgetOutbox();
  });

  it("nothing is kept beyond the page, until somebody signs in on a device of his own", async () => {
    vi.stubGlobal("localStorage", storage());
    keepNothing(true);
    expect(keeps()).toBe(false);
    const outbox = new Outbox("a");
    const journal = new Journal<string>("a");
    await outbox.write([{ e1: {} }]);
    expect(await journal.put("d", "text")).toBe(false);
    await outbox.close();
    keepNothing(false);
    expect(keeps()).toBe(true);
    expect(await new Journal<string>("a").entries()).toEqual([]);
  });
});
