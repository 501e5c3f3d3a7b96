import { describe, expect, it } from "vitest";
import type { Card } from "../jmap/index.ts";
import { addressLines, addressOf, dateOf, safeUri, titleOf, workOf } from "./card.ts";

const card = (part: Partial<Card>): Card => ({ id: "C1", uid: "u", addressBookIds: {}, ...part });

describe("what a card is called", () => {
  it.each<[string, Partial<Card>]>([
    ["Ada Lovelace", { name: { full: " Ada Lovelace " } }],
    [
      "Ada Lovelace",
      {
        name: {
          components: [
            { kind: "given", value: "Ada" },
            { kind: "separator", value: "," },
            { kind: "surname", value: "Lovelace" },
          ],
        },
      },
    ],
    ["Ada", { nicknames: { n: { name: "Ada" } }, emails: { e: { address: "a@b.example" } } }],
    ["a@b.example", { emails: { e: { address: "a@b.example" } } }],
    ["", {}],
  ])("%s", (name, part) => {
    expect(titleOf(card(part))).toBe(name);
  });
});

describe("what is shown of a card", () => {
  it("has the preferred address as that to write to", () => {
    const emails = { a: { address: "a@x.example" }, b: { address: "b@x.example", pref: 1 } };
    expect(addressOf(card({ name: { full: "Ada" }, emails }))).toEqual({
      name: "Ada",
      email: "b@x.example",
    });
    expect(addressOf(card({}))).toBeUndefined();
  });

  it("says what somebody does, and where", () => {
    const organizations = { o: { name: "Engines", units: [{ name: "Mill" }] } };
    expect(workOf(card({ titles: { t: { name: "Analyst" } }, organizations }))).toBe(
      "Analyst · Engines, Mill",
    );
  });

  it("has addresses in lines", () => {
    const components = [
      { kind: "locality", value: "Nantes" },
      { kind: "number", value: "3" },
      { kind: "name", value: "quai de la Loire" },
      { kind: "postcode", value: "44000" },
    ];
    expect(addressLines({ components })).toEqual(["3 quai de la Loire", "Nantes 44000"]);
    expect(addressLines({ full: "a\r\n\nb" })).toEqual(["a", "b"]);
  });

  it("knows days without a year, and the 29th of February", () => {
    expect(dateOf({ month: 2, day: 29 })).toEqual({
      text: new Date(Date.UTC(2000, 1, 29)),
      withYear: false,
    });
    expect(dateOf({ year: 1990 })).toBeUndefined();
  });

  it("leads nowhere that runs something", () => {
    expect(safeUri("javascript:alert(1)")).toBeUndefined();
    expect(safeUri("data:text/html,x")).toBeUndefined();
    expect(safeUri("https://a.example")).toBe("https://a.example");
  });
});
