import { describe, expect, it } from "vitest";
import { dayOf, octetsOf, parse, quoted, unquoted, without } from "./parse.ts";

const NOW = new Date(2026, 5, 15, 13, 30);

/** A query in short: groups by spaces, `|` between alternatives. */
function short(text: string): string {
  return parse(text, NOW)
    .map((group) =>
      group
        .map(({ meaning, not }) => `${not ? "-" : ""}${meaning.kind}=${meaning.value}`)
        .join("|"),
    )
    .join(" ");
}

describe("what is typed into the search box", () => {
  it.each([
    ["", ""],
    ["two words", "text=two text=words"],
    ['"a phrase" more', 'text="a phrase" text=more'],
    ['an "open quote', 'text=an text="open text=quote'],
    ["from:ann", "from=ann"],
    ["FROM:Ann", "from=Ann"],
    ["from: ann", "from=ann"],
    ['from:"Ann Smith" x', 'from="Ann Smith" text=x'],
    ["-from:ann -word", "-from=ann -text=word"],
    ["- x", "text=- text=x"],
    ["from:", "text=from:"],
    ["de:ann objet:facture à:bob", "from=ann subject=facture to=bob"],
    ["is:unread est:suivi", "is=unread is=starred"],
    ["is:blue", "text=is:blue"],
    ["has:attachment avec:pièce-jointe has:legs", "has=attachment has=attachment text=has:legs"],
    ['in:"Two Words"', "in=Two Words"],
    ["label:work", "label=work"],
    ["before:2026-02-03 after:never", "before=2026-02-03 text=after:never"],
    ["larger:5M smaller:x", "larger=5M text=smaller:x"],
    ["http://example.org/a?b:c 12:30", "text=http://example.org/a?b:c text=12:30"],
    ["a OR b c", "text=a|text=b text=c"],
    ["OR a OR", "text=a"],
    ["from:a OU -de:b", "from=a|-from=b"],
    ["or", "text=or"],
  ])("is read: %s", (text, terms) => {
    expect(short(text)).toBe(terms);
  });

  it("says where each term stands", () => {
    const text = "  x from:ann  y";
    const [, second] = parse(text).flat();
    expect(text.slice(second?.start, second?.end)).toBe("from:ann");
  });
});

describe("a day", () => {
  it.each([
    ["2026-01-31", "2026-01-31"],
    ["2026/1/5", "2026-01-05"],
    ["31.01.2026", "2026-01-31"],
    ["5/1/2026", "2026-01-05"],
    ["2026-03", "2026-03-01"],
    ["2025", "2025-01-01"],
    ["today", "2026-06-15"],
    ["hier", "2026-06-14"],
    ["7d", "2026-06-08"],
    ["2s", "2026-06-01"],
    ["3m", "2026-03-15"],
    ["1y", "2025-06-15"],
  ])("is read: %s", (text, day) => {
    const at = dayOf(text, NOW);
    expect(at && [at.getFullYear(), at.getMonth() + 1, at.getDate()]).toEqual(
      day.split("-").map(Number),
    );
  });

  it.each(["2026-02-30", "2026-13-01", "32/1/2026", "7", "soon", "1969", "7x", "99999d"])(
    "is none: %s",
    (text) => {
      expect(dayOf(text, NOW)).toBeUndefined();
    },
  );
});

describe("a size", () => {
  it.each([
    ["1000", 1000],
    ["500k", 500_000],
    ["1.5M", 1_500_000],
    ["1,5Mo", 1_500_000],
    ["2 GB", 2_000_000_000],
    ["3MiB", 3_000_000],
  ])("is read: %s", (text, octets) => {
    expect(octetsOf(text)).toBe(octets);
  });

  it.each(["", "M", "5x", "-5M", "1e9"])("is none: %s", (text) => {
    expect(octetsOf(text)).toBeUndefined();
  });
});

describe("a term", () => {
  it.each([
    ["x from:ann y", "from:ann", "x y"],
    ["from:ann", "from:ann", ""],
    ["a OR b c", "b", "a c"],
    ["a OR b c", "a", "b c"],
    ["a OR b OR c", "b", "a OR c"],
  ])("is taken out: of %s, %s", (text, gone, left) => {
    const term = parse(text)
      .flat()
      .find(({ start, end }) => text.slice(start, end) === gone);
    expect(term && without(text, term)).toBe(left);
  });

  it("is quoted where it must be, and read back", () => {
    for (const value of ["plain", "two words", 'a "b" \\ c', 'say"']) {
      expect(unquoted(quoted(value))).toBe(value);
      expect(parse(`in:${quoted(value)}`).flat()[0]?.meaning).toEqual({ kind: "in", value });
    }
  });
});
