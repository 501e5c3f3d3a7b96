import { describe, expect, it } from "vitest";
import {
  cleared,
  extended,
  meant,
  moved,
  NOTHING,
  neighbour,
  type Rows,
  toggled,
} from "./selection.ts";

function rowsOf(...ids: (string | undefined)[]): Rows {
  return { length: ids.length, at: (n) => ids[n], indexOf: (id) => ids.indexOf(id) };
}
const rows = rowsOf("a", "b", "c", "d", undefined, "f");

describe("marking rows", () => {
  it("marks and unmarks one", () => {
    const one = toggled(NOTHING, "b");
    expect([...one.marked]).toEqual(["b"]);
    expect(toggled(one, "b").marked.size).toBe(0);
  });

  it("marks from the last one touched up to another, in both directions", () => {
    expect([...extended(moved(NOTHING, "b"), rows, "d").marked]).toEqual(["b", "c", "d"]);
    expect([...extended(moved(NOTHING, "c"), rows, "a").marked]).toEqual(["a", "b", "c"]);
  });

  it("keeps where a range began while it is made longer", () => {
    const first = extended(moved(NOTHING, "b"), rows, "c");
    expect([...extended(first, rows, "d").marked]).toEqual(["b", "c", "d"]);
  });

  it("leaves out rows that are not known yet", () => {
    expect([...extended(moved(NOTHING, "d"), rows, "f").marked]).toEqual(["d", "f"]);
  });

  it("marks the one where the beginning is gone", () => {
    expect([...extended(moved(NOTHING, "gone"), rows, "b").marked]).toEqual(["b"]);
  });
});

describe("what an action is about", () => {
  it("is the marked rows, else the one that is open", () => {
    expect(meant(toggled(NOTHING, "b"), "a")).toEqual(["b"]);
    expect(meant(cleared(toggled(NOTHING, "b")), "a")).toEqual(["a"]);
    expect(meant(NOTHING, undefined)).toEqual([]);
  });
});

describe("where one goes when rows go", () => {
  it("is the next that stays, else the one before", () => {
    expect(neighbour(rows, ["b", "c"], "b")).toBe("d");
    expect(neighbour(rowsOf("a", "b"), ["b"], "b")).toBe("a");
    expect(neighbour(rowsOf("a"), ["a"], "a")).toBeUndefined();
  });
});
