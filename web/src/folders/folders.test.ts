import { setupI18n } from "@lingui/core";
import { describe, expect, it } from "vitest";
import type { Mailbox } from "../jmap/index.ts";
import { pathName, tree, withBelow } from "./index.ts";

const box = (id: string, parentId: string | null = null) =>
  ({ id, name: `n${id}`, parentId, role: null }) as Mailbox;
const ALL = [box("a"), box("c", "b"), box("b", "a"), box("d"), box("lost", "gone")];

describe("folders", () => {
  it("stand below the one that they are in, wherever the server lists them", () => {
    expect(tree(ALL).map(([one, depth]) => [one.id, depth])).toEqual([
      ["a", 0],
      ["b", 1],
      ["c", 2],
      ["d", 0],
      ["lost", 0],
    ]);
  });
  it("are named with what they are in", () => {
    const i18n = setupI18n({ locale: "en", messages: { en: {} } });
    expect(pathName(ALL[1] as Mailbox, ALL, i18n)).toBe("na / nb / nc");
    expect(pathName(ALL[4] as Mailbox, ALL, i18n)).toBe("nlost");
  });
  it("are not to be moved into themselves or what is below them", () => {
    expect([...withBelow("a", ALL)].sort()).toEqual(["a", "b", "c"]);
    expect([...withBelow("c", ALL)]).toEqual(["c"]);
  });
});
