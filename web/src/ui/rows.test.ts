import { describe, expect, it } from "vitest";
import { seen } from "./rows.ts";

describe("the rows that are made", () => {
  it("are those that are seen, and some beyond", () => {
    expect(seen(0, 840, 84, 1000)).toEqual({ first: 0, end: 14 });
    expect(seen(84 * 500, 840, 84, 1000)).toEqual({ first: 496, end: 514 });
  });
  it("end where the list does", () => {
    expect(seen(84 * 995, 840, 84, 1000)).toEqual({ first: 991, end: 1000 });
    expect(seen(0, 840, 84, 3)).toEqual({ first: 0, end: 3 });
    expect(seen(0, 840, 84, 0)).toEqual({ first: 0, end: 0 });
  });
  it("are few in a list of any length", () => {
    const { first, end } = seen(84 * 5_000_000, 840, 84, 10_000_000);
    expect(end - first).toBeLessThan(30);
  });
  it("are of the list that is left, after most of it went", () => {
    expect(seen(84 * 500, 840, 84, 10)).toEqual({ first: 6, end: 10 });
  });
});
