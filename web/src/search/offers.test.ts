import { describe, expect, it } from "vitest";
import type { Known } from "./filter.ts";
import { added, read } from "./recent.ts";
import { near, runs } from "./snippet.ts";
import { suggestions } from "./suggest.ts";

const KNOWN: Known = {
  mailboxes: [
    { id: "i", name: "Inbox" },
    { id: "w", name: "Work stuff" },
  ] as never,
  nameOf: ({ name }) => name,
};
const offered = (text: string, searches: string[] = [], locale = "en") =>
  suggestions(text, searches, locale, KNOWN).map(({ text: to }) => to);

describe("what the search box offers", () => {
  it("has searches made before, and the operators", () => {
    expect(offered("", ["ann", "bob"]).slice(0, 3)).toEqual(["ann", "bob", "from:"]);
    expect(offered("an", ["ann", "bob", "a plan"])).toEqual(["ann", "a plan"]);
    expect(offered("ann", ["Ann"])).toEqual([]);
  });

  it("completes the word that is typed, and keeps the rest", () => {
    expect(offered("word fr")).toEqual(["word from:"]);
    expect(offered("word -fr")).toEqual(["word -from:"]);
    expect(offered("is:st")).toEqual(["is:starred "]);
    expect(offered("x is:")).toContain("x is:unread ");
    expect(offered("in:wo")).toEqual(['in:"Work stuff" ']);
    expect(offered("in:")).toContain("in:anywhere ");
    expect(offered("blah")).toEqual([]);
  });

  it("speaks French", () => {
    expect(offered("ob", [], "fr")).toEqual(["objet:"]);
    expect(offered("est:non", [], "fr")).toEqual(["est:non-lu "]);
    expect(offered("dans:", [], "fr")).toContain("dans:partout ");
  });
});

describe("searches made before", () => {
  it("are few, each once, the last first", () => {
    expect(added(["b", "A"], " a ")).toEqual(["a", "b"]);
    expect(added(["b"], "  ")).toEqual(["b"]);
    const many = Array.from({ length: 30 }, (_, n) => `s${n}`);
    expect(added(many, "x")).toHaveLength(12);
    expect(added([], "x".repeat(1_000))[0]).toHaveLength(200);
  });

  it("are read back only where they are ours", () => {
    expect(read(null)).toEqual([]);
    expect(read("{")).toEqual([]);
    expect(read('{"a":1}')).toEqual([]);
    expect(read('["a", 5, "", "b"]')).toEqual(["a", "b"]);
  });
});

describe("a snippet", () => {
  it("is text, marked where the server says so", () => {
    expect(runs("a &lt;b&gt; <mark>c &amp; d</mark>&#x27;&#39;&quot;")).toEqual([
      { text: "a <b> ", marked: false },
      { text: "c & d", marked: true },
      { text: "''\"", marked: false },
    ]);
  });

  it("has no other markup", () => {
    expect(runs("<b>x</b><mark>y</mark><script>")).toEqual([
      { text: "<b>x</b>", marked: false },
      { text: "y", marked: true },
      { text: "<script>", marked: false },
    ]);
    expect(runs("&#0;&#x110000;&unknown;")).toEqual([
      { text: "&#0;&#x110000;&unknown;", marked: false },
    ]);
  });

  it("begins shortly before what was found, where there is little room", () => {
    const long = runs("…one two three four five six <mark>seven</mark> eight");
    expect(near(long).map(({ text }) => text)).toEqual([
      "…three four five six ",
      "seven",
      " eight",
    ]);
    const short = runs("one <mark>two</mark> three");
    expect(near(short)).toEqual(short);
    expect(near(runs("nothing in this text of some length"))).toHaveLength(1);
  });
});
