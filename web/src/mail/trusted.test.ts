import { describe, expect, it } from "vitest";
import { read } from "./trusted.ts";

describe("senders whose pictures are always shown", () => {
  it("are read as far as what was kept makes sense", () => {
    expect(read('["ada@example.org"]')).toEqual(["ada@example.org"]);
    expect(read('["ada@example.org", 7, null]')).toEqual(["ada@example.org"]);
    for (const text of [null, "", "{}", "7", "not json"]) expect(read(text)).toEqual([]);
  });

  it("are bounded", () => {
    const many = Array.from({ length: 3_000 }, (_, n) => `${n}@example.org`);
    expect(read(JSON.stringify(many))).toHaveLength(1_000);
  });
});
