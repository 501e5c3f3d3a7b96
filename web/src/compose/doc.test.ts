import { describe, expect, it } from "vitest";
import { docOfText, htmlOf, isEmpty, type Node, pictures, textOf } from "./doc.ts";

const text = (words: string, ...marks: [string, object?][]): Node => ({
  type: "text",
  text: words,
  marks: marks.map(([type, attrs]) => ({ type, attrs: attrs as Record<string, unknown> })),
});
const p = (...content: Node[]): Node => ({ type: "paragraph", content });
const li = (...content: Node[]): Node => ({ type: "listItem", content });
const doc = (...content: Node[]): Node => ({ type: "doc", content });
const link = (href: string): [string, object] => ["link", { href }];

describe("a document as text", () => {
  it("has lists, quotations, rules and signatures as mail writes them", () => {
    const found = textOf(
      doc(
        p(text("Hello,")),
        p(),
        { type: "bulletList", content: [li(p(text("one")), p(text("more"))), li(p(text("two")))] },
        {
          type: "orderedList",
          attrs: { start: 9 },
          content: [li(p(text("nine"))), li(p(text("ten")))],
        },
        {
          type: "blockquote",
          content: [p(text("said")), { type: "blockquote", content: [p(text("before"))] }],
        },
        { type: "horizontalRule" },
        { type: "signature", content: [p(text("Ann"))] },
      ),
    );
    expect(found).toBe(
      "Hello,\n\n- one\n  more\n- two\n9. nine\n10. ten\n> said\n>> before\n---\n-- \nAnn",
    );
  });

  it("says where a link leads, once, where its words do not", () => {
    const found = textOf(
      doc(
        p(
          text("see "),
          text("the ", link("https://a.example/x")),
          text("page", ["bold"], link("https://a.example/x")),
        ),
        p(text("a.example", link("https://a.example/"))),
        p(text("a@b.example", link("mailto:a@b.example"))),
      ),
    );
    expect(found).toBe("see the page <https://a.example/x>\na.example\na@b.example");
  });

  it("comes back from a text as it was", () => {
    const words = "one\n\n  two\nthree";
    expect(textOf(docOfText(words))).toBe(words);
  });
});

describe("a document as HTML", () => {
  it("is small, and looks alike everywhere", () => {
    expect(
      htmlOf(
        doc(
          p(
            text("a"),
            text("b", ["bold"], ["italic"]),
            { type: "hardBreak" },
            text("c", ["colour", { name: "red" }]),
          ),
          p(),
          { type: "bulletList", content: [li(p(text("one")))] },
          { type: "signature", content: [p(text("Ann"))] },
        ),
      ),
    ).toBe(
      '<div>a<i><b>b</b></i><br><span style="color:#b3261e">c</span></div><div><br></div>' +
        '<ul><li>one</li></ul><div class="malleposte-signature"><div>Ann</div></div>',
    );
  });

  it("holds what was typed as text, never as markup", () => {
    const found = htmlOf(
      doc(
        p(
          text('<img src=x onerror="alert(1)">'),
          text("x", link("javascript:alert(1)")),
          text("y", link('https://a.example/"onclick="x')),
          text("z", ["colour", { name: 'red"><script>' }]),
          { type: "picture", attrs: { cid: '"><script>', alt: '"><script>' } },
        ),
      ),
    );
    expect(found).not.toMatch(/<script|<img src=x|javascript:|"onclick/);
  });

  it("keeps spaces that HTML would take together", () => {
    expect(htmlOf(doc(p(text("  a  b"))))).toBe("<div>&nbsp; a&nbsp; b</div>");
  });
});

it("a document with a signature alone is empty; one with a picture is not", () => {
  expect(isEmpty(doc(p(), { type: "signature", content: [p(text("Ann"))] }))).toBe(true);
  const shown = doc(p({ type: "picture", attrs: { cid: "1@x", alt: "" } }));
  expect(isEmpty(shown)).toBe(false);
  expect(pictures(shown)).toEqual(new Set(["1@x"]));
});
