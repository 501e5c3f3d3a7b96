import { describe, expect, it } from "vitest";
import { fitOf, fitting } from "./fuzzy.ts";

const best = (typed: string, ...names: string[]) => fitting(typed, names, (one) => one);

describe("what is typed", () => {
  it("finds names by their beginnings, parts and initials", () => {
    expect(best("arc", "Search mail", "Archive", "My archive")).toEqual([
      "Archive",
      "My archive",
      "Search mail",
    ]);
    expect(best("mtr", "Move to trash", "Drafts")).toEqual(["Move to trash"]);
  });

  it("needs all of its words, in any order", () => {
    expect(best("trash move", "Move to trash", "Trash")).toEqual(["Move to trash"]);
  });

  it("minds no accents and no capitals", () => {
    expect(best("DEPLACE", "Déplacer vers la corbeille")).toHaveLength(1);
    expect(best("boîte", "Boite de réception")).toHaveLength(1);
  });

  it("does not find what has its letters by chance", () => {
    expect(fitOf("ase", "Mark as read")).toBeUndefined();
    expect(fitOf("zzz", "Archive")).toBeUndefined();
  });

  it("leaves all as it is where nothing is typed", () => {
    expect(best(" ", "b", "a")).toEqual(["b", "a"]);
  });

  it("takes the shorter of two that fit as well", () => {
    expect(best("in", "Invoices of last year", "Inbox")[0]).toBe("Inbox");
  });
});
