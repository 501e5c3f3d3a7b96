import { describe, expect, it } from "vitest";
import { dayOf, momentOf } from "./days.ts";

describe("days away", () => {
  it("are the same when they come back from the server, the last one as well", () => {
    for (const day of ["2026-01-01", "2026-03-29", "2026-10-25", "2026-12-31", "2028-02-29"]) {
      expect(dayOf(momentOf(day))).toBe(day);
      expect(dayOf(momentOf(day, true), true)).toBe(day);
    }
  });
  it("end where the day after the last begins", () => {
    expect(momentOf("2026-12-31", true)).toBe(momentOf("2027-01-01"));
  });
  it("are none where nothing is said", () => {
    expect(momentOf("")).toBeNull();
    expect(dayOf(null)).toBe("");
  });
});
