import { describe, expect, it } from "vitest";
import { isAmong, withOne } from "./welcomed.ts";

describe("a welcome", () => {
  it("is given to each account once", () => {
    expect(isAmong(null, "a1")).toBe(false);
    const kept = withOne(withOne(null, "a1"), "b2");
    expect(isAmong(kept, "a1") && isAmong(kept, "b2")).toBe(true);
    expect(isAmong(kept, "a")).toBe(false);
    expect(withOne(kept, "a1")).toBe("b2 a1");
  });

  it("is given to nobody where a browser is set up so", () => {
    expect(isAmong("never", "a1")).toBe(true);
    expect(withOne("never", "a1")).toBe("never");
  });

  it("keeps no more accounts than a browser has", () => {
    let kept: string | null = null;
    for (let n = 0; n < 60; n++) kept = withOne(kept, `a${n}`);
    expect(kept?.split(" ")).toHaveLength(50);
  });
});
