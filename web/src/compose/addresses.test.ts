import { describe, expect, it } from "vitest";
import { isAddress, parseAddresses, unique, without, written } from "./addresses.ts";

const bare = (email: string) => ({ name: null, email });

describe("an address", () => {
  it.each([
    "a@b.example",
    "first.last+tag@sub.b.example",
    "hélène@exämple.fr",
    '"a b"@b.example',
    "o'neil@b.example",
  ])("is one: %s", (email) => {
    expect(isAddress(email)).toBe(true);
  });

  it.each([
    "",
    "a",
    "a@",
    "@b.example",
    "a@b",
    "a b@c.example",
    "a@b..example",
    ".a@b.example",
    "a@-b.example",
    "a@b.example, c@d.example",
    `${"a".repeat(65)}@b.example`,
    `a@${"b".repeat(250)}.example`,
    "a@b.example\nBcc: c@d.example",
  ])("is none: %j", (email) => {
    expect(isAddress(email)).toBe(false);
  });
});

describe("a pasted list", () => {
  it.each<[string, { name: string | null; email: string }[]]>([
    ["a@b.example", [bare("a@b.example")]],
    [
      "a@b.example, c@d.example; e@f.example",
      [bare("a@b.example"), bare("c@d.example"), bare("e@f.example")],
    ],
    ["a@b.example\r\nc@d.example\n\n", [bare("a@b.example"), bare("c@d.example")]],
    ["a@b.example c@d.example", [bare("a@b.example"), bare("c@d.example")]],
    ["Ann Bee <a@b.example>", [{ name: "Ann Bee", email: "a@b.example" }]],
    [
      '"Bee, Ann" <a@b.example>, c@d.example',
      [{ name: "Bee, Ann", email: "a@b.example" }, bare("c@d.example")],
    ],
    ['"Ann \\"B\\"" <a@b.example>', [{ name: 'Ann "B"', email: "a@b.example" }]],
    ["a@b.example (Ann Bee)", [{ name: "Ann Bee", email: "a@b.example" }]],
    ["Ann Bee a@b.example", [{ name: "Ann Bee", email: "a@b.example" }]],
    ["mailto:a@b.example?subject=x", [bare("a@b.example")]],
    ["<mailto:a@b.example>", [bare("a@b.example")]],
    ["Friends: a@b.example, c@d.example;", [bare("a@b.example"), bare("c@d.example")]],
    ["a@b.example <a@b.example>", [bare("a@b.example")]],
    [" , ;\n", []],
  ])("is taken apart: %j", (text, found) => {
    expect(parseAddresses(text)).toEqual(found);
  });

  it("keeps what is no address, to be seen", () => {
    expect(parseAddresses("bob, a@b.example")).toEqual([bare("bob"), bare("a@b.example")]);
  });

  it("has each address once, with the name that is known", () => {
    expect(parseAddresses("A@b.example, Ann <a@B.example>")).toEqual([
      { name: "Ann", email: "a@B.example" },
    ]);
  });

  it("of any length ends soon", () => {
    const before = performance.now();
    parseAddresses(`${"<".repeat(50_000)}${'"'.repeat(50_000)}`);
    parseAddresses("a@b.example, ".repeat(50_000));
    expect(performance.now() - before).toBeLessThan(2_000);
  });
});

it("people are told apart without regard to case", () => {
  expect(without([bare("A@b.example"), bare("c@d.example")], [bare("a@B.example")])).toEqual([
    bare("c@d.example"),
  ]);
  expect(unique([bare("a@b.example"), bare("A@B.example")])).toHaveLength(1);
});

it("what is written can be read again", () => {
  for (const person of [
    { name: 'Bee, "Ann"', email: "a@b.example" },
    { name: "Hélène Garçon-Dupré", email: "a@b.example" },
    bare("a@b.example"),
  ]) {
    expect(parseAddresses(written(person))).toEqual([person]);
  }
});
