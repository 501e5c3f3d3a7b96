import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { arrived, leave, leaving } from "./leaving.ts";

describe("signing out", () => {
  const kept = new Map<string, string>();
  beforeEach(() => {
    kept.clear();
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => void kept.set(name, value),
      removeItem: (name: string) => void kept.delete(name),
    });
  });
  afterEach(() => vi.unstubAllGlobals());

  it("that reached the server is over", async () => {
    vi.stubGlobal("fetch", async () => new Response("{}", { status: 200 }));
    await leave();
    expect(leaving()).toBe(false);
  });

  it("that did not is remembered, until it does or somebody signs in", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("no connection");
    });
    await expect(leave()).rejects.toThrow();
    expect(leaving()).toBe(true);
    arrived();
    expect(leaving()).toBe(false);
  });
});
