import { describe, expect, it } from "vitest";
import {
  answerSubject,
  answerTo,
  forwardSubject,
  listAddress,
  quoteHtml,
  quoteText,
  type Source,
  splitQuote,
  threading,
} from "./quoting.ts";

const one = (email: string) => ({ name: null, email });
const OWN = ["me@a.example", "info@a.example"];
const source = (part: Partial<Source>): Source => ({
  from: [one("ann@b.example")],
  to: [one("me@a.example")],
  cc: null,
  replyTo: null,
  subject: "Plans",
  messageId: ["2@b.example"],
  references: null,
  listPost: null,
  followUp: null,
  ...part,
});
const emails = (all: readonly { email: string }[]) => all.map(({ email }) => email);
const to = (part: Partial<Source>, all: boolean) => {
  const found = answerTo(source(part), OWN, all);
  return [emails(found.to), emails(found.cc)];
};

describe("an answer goes", () => {
  it("to who wrote, or to whom that asks for", () => {
    expect(to({}, false)).toEqual([["ann@b.example"], []]);
    expect(to({ replyTo: [one("desk@b.example")] }, false)).toEqual([["desk@b.example"], []]);
  });

  it("to all but oneself, each once", () => {
    const all = {
      to: [one("ME@a.example"), one("bob@b.example")],
      cc: [one("cy@b.example"), one("Bob@b.example"), one("info@a.example")],
    };
    expect(to(all, true)).toEqual([["ann@b.example", "bob@b.example"], ["cy@b.example"]]);
  });

  it("to the recipients of what one sent oneself", () => {
    const sent = {
      from: [one("me@a.example")],
      to: [one("bob@b.example")],
      cc: [one("cy@b.example")],
    };
    expect(to(sent, false)).toEqual([["bob@b.example"], []]);
    expect(to(sent, true)).toEqual([["bob@b.example"], ["cy@b.example"]]);
  });

  it("to who got a copy of what one sent to nobody else", () => {
    const sent = { from: [one("me@a.example")], to: null, cc: [one("cy@b.example")] };
    expect(to(sent, false)).toEqual([["cy@b.example"], []]);
  });

  it("to oneself, where one wrote to oneself", () => {
    expect(to({ from: [one("me@a.example")] }, false)).toEqual([["me@a.example"], []]);
  });

  it("to the list as well, where a message came through one that nobody named", () => {
    const listPost = ["mailto:talk@lists.example?subject=x"];
    expect(to({ listPost }, true)).toEqual([["ann@b.example"], ["talk@lists.example"]]);
    expect(to({ listPost, to: [one("Talk@lists.example")] }, true)).toEqual([
      ["ann@b.example", "Talk@lists.example"],
      [],
    ]);
    expect(to({ listPost }, false)).toEqual([["ann@b.example"], []]);
    expect(to({ listPost: ["NO"] }, true)).toEqual([["ann@b.example"], []]);
  });

  it("where its author wants answers to all", () => {
    expect(to({ followUp: [one("talk@lists.example")], cc: [one("x@y.example")] }, true)).toEqual([
      ["talk@lists.example"],
      [],
    ]);
  });
});

it("the address of a list is one, or none", () => {
  expect(listAddress({ listPost: ["https://x.example", "mailto:a%2Bb@c.example"] })).toEqual(
    one("a+b@c.example"),
  );
  expect(listAddress({ listPost: ["mailto:%E0%A4%A"] })).toBeUndefined();
  expect(listAddress({ listPost: ["mailto:a@b.example,c@d.example"] })).toBeUndefined();
});

it.each([
  ["Plans", "Re: Plans", "Fwd: Plans"],
  ["RE: AW: Re[2]: Plans", "Re: Plans", "Fwd: RE: AW: Re[2]: Plans"],
  ["Fwd: Plans", "Re: Fwd: Plans", "Fwd: Plans"],
  [null, "Re:", "Fwd:"],
  ["Regarding: Plans", "Re: Regarding: Plans", "Fwd: Regarding: Plans"],
])("the subject %j", (subject, answer, forward) => {
  expect(answerSubject(subject)).toBe(answer);
  expect(forwardSubject(subject)).toBe(forward);
});

it("names what it answers, and the way there", () => {
  expect(threading(source({ references: ["1@b.example"] }))).toEqual({
    inReplyTo: ["2@b.example"],
    references: ["1@b.example", "2@b.example"],
  });
  const long = Array.from({ length: 90 }, (_, n) => `${n}@b.example`);
  const { references } = threading(source({ references: long }));
  expect(references).toHaveLength(50);
  expect([references?.[0], references?.at(-1)]).toEqual(["0@b.example", "2@b.example"]);
});

describe("a quotation", () => {
  const quote = {
    kind: "reply",
    intro: "Ann wrote:",
    html: "<p>a</p></div>",
    text: "a\n> b\n\n",
  } as const;

  it("is text after signs", () => {
    expect(quoteText(quote)).toBe("Ann wrote:\n> a\n>> b");
    expect(quoteText({ ...quote, kind: "forward" })).toBe("Ann wrote:\n\na\n> b");
  });

  it("is found again in a draft, also within another", () => {
    const inner = quoteHtml(quote);
    const html = `<div>mine</div>${quoteHtml({ ...quote, html: inner })}</body>`;
    const { own, quote: found } = splitQuote(html);
    expect(own).toBe("<div>mine</div>");
    expect(found).toContain(inner);
    expect(splitQuote("<p>x</p>")).toEqual({ own: "<p>x</p>", quote: "" });
  });

  it("introduces itself as text", () => {
    expect(quoteHtml({ ...quote, intro: "<script>x</script> wrote:" })).not.toContain("<script>");
  });
});
