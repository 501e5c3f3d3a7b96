import { describe, expect, it } from "vitest";
import { SHORTCUTS, written } from "./table.ts";
import { bound, nameOf } from "./useKeys.ts";

const pressed = (key: string, ctrlKey = false) => nameOf({ key, ctrlKey, metaKey: false });

describe("the keys", () => {
  it("are each bound to one thing alone", () => {
    const all = Object.values(SHORTCUTS).flatMap(({ keys }) => keys);
    expect(all.filter((key, n) => all.indexOf(key) !== n)).toEqual([]);
    // What g begins would never be heard otherwise.
    expect(all).not.toContain("g");
  });

  it.each([
    ["e", false, "e"],
    ["U", false, "shift+u"],
    ["#", false, "#"],
    ["Escape", false, "escape"],
    ["k", true, "mod+k"],
  ])("are named by what they write: %s", (key, ctrl, name) => {
    expect(pressed(key, ctrl)).toBe(name);
  });

  it("do what the table says, and nothing where nothing is bound", () => {
    const run = () => {};
    expect(bound({ archive: run }, pressed("y"))).toBe(run);
    expect(bound({ archive: run }, pressed("e", true))).toBeUndefined();
    expect(bound({ palette: run }, pressed("k"))).toBeUndefined();
  });

  it.each([
    ["g i", false, "G I"],
    ["shift+u", false, "Shift U"],
    ["mod+k", false, "Ctrl K"],
    ["mod+k", true, "⌘ K"],
    ["escape", false, "Esc"],
  ])("are written for people: %s", (key, mac, words) => {
    expect(written(key, mac)).toBe(words);
  });
});
