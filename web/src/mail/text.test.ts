import { describe, expect, it } from "vitest";
import { blocks, pieces } from "./text.ts";

describe("plain text", () => {
  it("is told apart from what it quotes, with the line that says who is quoted", () => {
    expect(blocks("Yes.\n\nOn Monday, Jo wrote:\n> Can we?\n>\n> Jo\n\nRegards\n")).toEqual([
      { quoted: false, text: "Yes." },
      { quoted: true, text: "On Monday, Jo wrote:\n> Can we?\n>\n> Jo" },
      { quoted: false, text: "Regards" },
    ]);
  });
  it("knows such a line in French, and over two lines", () => {
    expect(
      blocks("Oui\n\nLe lundi 3 mars 2026 à 10:00,\nJo <jo@example.test> a écrit :\n> Alors ?"),
    ).toEqual([
      { quoted: false, text: "Oui" },
      {
        quoted: true,
        text: "Le lundi 3 mars 2026 à 10:00,\nJo <jo@example.test> a écrit :\n> Alors ?",
      },
    ]);
  });
  it("keeps its own empty lines and leaves out those around it", () => {
    expect(blocks("\r\n\r\na\r\n\r\nb\r\n\r\n")).toEqual([{ quoted: false, text: "a\n\nb" }]);
    expect(blocks("")).toEqual([]);
  });
  it("is read in no time, whatever it is", () => {
    const long = "On a ".repeat(20_000);
    expect(blocks(`${long}\n> x`).length).toBe(2);
    expect(pieces("http://".repeat(20_000)).length).toBeGreaterThan(0);
    expect(pieces("a@".repeat(20_000)).length).toBeGreaterThan(0);
  });
});

describe("addresses in a text", () => {
  it.each([
    ["see https://example.test/a?b=1.", "https://example.test/a?b=1", "https://example.test/a?b=1"],
    ["(www.example.test)", "www.example.test", "https://www.example.test"],
    ["to jo.x@example.test, please", "jo.x@example.test", "mailto:jo.x@example.test"],
    ["https://e.test/a_(b)", "https://e.test/a_(b)", "https://e.test/a_(b)"],
  ])("%s", (text, link, href) => {
    const found = pieces(text);
    expect(found.filter((piece) => piece.href)).toEqual([{ text: link, href }]);
    expect(found.map((piece) => piece.text).join("")).toBe(text);
  });
  it("are of no other kind than those of the web and of mail", () => {
    expect(pieces("javascript:alert(1) file:///etc/passwd data:text/html,x")).toEqual([
      { text: "javascript:alert(1) file:///etc/passwd data:text/html,x" },
    ]);
  });
});
