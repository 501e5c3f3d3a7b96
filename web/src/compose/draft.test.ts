import { describe, expect, it } from "vitest";
import { question } from "./checks.ts";
import { docOfText, textOf } from "./doc.ts";
import { blank, type Draft, isBlank, merged, ownText } from "./draft.ts";
import { speaksOfAttachments } from "./forgotten.ts";
import { local, presets } from "./later.ts";
import { signed, signedText, unsigned } from "./signature.ts";
import { dateHere, draftOf, emailOf, htmlBody, plainOf } from "./wire.ts";
import { wishOf } from "./wish.ts";

const start = blank("a.example");
const sign = (text: string) => docOfText(text).content ?? [];
const draft = (part: Partial<Draft>): Draft => ({ ...start, ...part });
const written = (text: string, part: Partial<Draft> = {}) =>
  draft({ doc: docOfText(text), ...part });

describe("a signature", () => {
  it("stands below what is written, and gives its place to another", () => {
    const one = signed(docOfText("Hello"), sign("Ann\nA Ltd"), true);
    expect(textOf(one)).toBe("Hello\n\n-- \nAnn\nA Ltd");
    expect(textOf(signed(one, sign("Bea"), true))).toBe("Hello\n\n-- \nBea");
    expect(textOf(signed(one, [], true))).toBe("Hello");
    expect(textOf(unsigned(one))).toBe("Hello");
  });

  it("that was taken away is not put back", () => {
    expect(textOf(signed(docOfText("Hello"), sign("Bea"), false))).toBe("Hello");
    expect(signedText("Hello", "Bea", false)).toBe("Hello");
  });

  it("does the same in plain text", () => {
    const one = signedText("Hello", "Ann", true);
    expect(one).toBe("Hello\n\n-- \nAnn");
    expect(signedText(one, "Bea\nB Ltd", true)).toBe("Hello\n\n-- \nBea\nB Ltd");
    expect(signedText(one, "", true)).toBe("Hello\n");
  });

  it("alone makes no draft", () => {
    expect(isBlank(draft({ doc: signed(docOfText(""), sign("Ann"), true) }))).toBe(true);
    expect(isBlank(written("x"))).toBe(false);
    expect(isBlank(draft({ subject: "x" }))).toBe(false);
  });
});

describe("two versions of one draft", () => {
  const join = (a: Draft, b: Draft) => merged(a, b, "— also —");

  it("become one that has the longer text, where it holds the other", () => {
    expect(ownText(join(written("Hello"), written("Hello all")))).toBe("Hello all");
    expect(ownText(join(written("Hello all"), written("Hello")))).toBe("Hello all");
  });

  it("become one that has both texts", () => {
    expect(ownText(join(written("Hello Ann"), written("Hello Bea")))).toBe(
      "Hello Ann\n\n— also —\n\nHello Bea",
    );
    const plain = join(draft({ rich: false, text: "Hello Ann" }), written("Hello Bea"));
    expect(plain.text).toBe("Hello Ann\n\n— also —\n\nHello Bea");
  });

  it("keep all recipients and all files", () => {
    const file = { key: "1", name: "a", type: "text/plain", size: 1, blobId: "B1", cid: null };
    const found = join(
      written("x", { to: [{ name: null, email: "a@b.example" }], attachments: [file] }),
      written("x", {
        to: [{ name: null, email: "c@d.example" }],
        subject: "S",
        attachments: [
          { ...file, key: "2", blobId: "B2" },
          { ...file, key: "3", name: "b" },
        ],
      }),
    );
    expect(found.to.map(({ email }) => email)).toEqual(["a@b.example", "c@d.example"]);
    expect(found.subject).toBe("S");
    // The same file is under the name that the version which is left has for it.
    expect(found.attachments.map(({ name, blobId }) => [name, blobId])).toEqual([
      ["a", "B2"],
      ["b", "B1"],
    ]);
  });
});

describe("what is sent", () => {
  const quote = { kind: "reply", intro: "Ann wrote:", html: "<p>hi</p>", text: "hi" } as const;

  it("has the same words as text and as HTML, the quotation last", () => {
    const one = written("Hello", { quote });
    expect(plainOf(one)).toBe("Hello\n\nAnn wrote:\n> hi\n");
    expect(htmlBody(one)).toContain("<div>Hello</div><div><br></div>");
    expect(htmlBody(one)).toMatch(
      /<blockquote[^>]*><p>hi<\/p><\/blockquote><\/div><\/body><\/html>$/,
    );
  });

  it("says nothing that only a draft has, and names no address that is none", () => {
    const one = written("x", {
      to: [
        { name: null, email: "bob" },
        { name: null, email: "a@b.example" },
      ],
    });
    const email = emailOf(one, undefined, "M1", true) as Record<string, unknown>;
    expect(Object.keys(email).filter((name) => name.startsWith("header:"))).toEqual([]);
    expect(email.to).toEqual([{ name: null, email: "a@b.example" }]);
  });

  it("leaves out a picture that is no longer in the text, and what is not uploaded", () => {
    const file = {
      key: "1",
      name: "a.png",
      type: "image/png",
      size: 1,
      blobId: "B1",
      cid: "1@picture",
    };
    const one = written("x", { attachments: [file, { ...file, cid: null, blobId: null }] });
    expect(emailOf(one, undefined, "M1", true)).not.toHaveProperty("attachments");
  });

  it("comes back from the server as it was saved", () => {
    const one = written("Hello", {
      mode: "reply",
      source: { id: "E1", threadId: "T1" },
      quote,
      subject: "Re: x",
      inReplyTo: ["1@b.example"],
    });
    const saved = emailOf(one, undefined, "M1", false) as Record<string, never>;
    const part = (partId: string, type: string) => ({
      partId,
      type,
      blobId: null,
      size: 0,
      name: null,
      charset: null,
      disposition: null,
      cid: null,
    });
    const back = draftOf(
      {
        ...saved,
        id: "E2",
        references: null,
        from: null,
        to: null,
        cc: null,
        bcc: null,
        textBody: [part("text", "text/plain")],
        htmlBody: [part("html", "text/html")],
        attachments: [],
      } as never,
      start,
      { docOf: () => one.doc, clean: (html) => html },
    );
    expect(back).toMatchObject({
      emailId: "E2",
      mode: "reply",
      source: one.source,
      subject: "Re: x",
      inReplyTo: ["1@b.example"],
      messageId: one.messageId,
      quote,
    });
  });

  it("has the time of this place", () => {
    expect(dateHere(new Date("2026-12-01T08:30:00Z"))).toMatch(
      /^2026-1[12]-\d\dT\d\d:\d0:00[+-]\d\d:\d\d$/,
    );
    const written = dateHere(new Date("2026-12-01T08:30:00Z"));
    expect(new Date(written).toISOString()).toBe("2026-12-01T08:30:00.000Z");
  });
});

describe("before it goes", () => {
  const ready = written("Hello", { to: [{ name: null, email: "a@b.example" }], subject: "x" });
  const none = new Set<never>();

  it("nothing is asked where nothing is missing", () => {
    expect(question(ready, none)).toBeUndefined();
  });

  it("is asked what is missing, once", () => {
    expect(question({ ...ready, to: [] }, none)).toBe("nobody");
    expect(question({ ...ready, cc: [{ name: null, email: "bob" }] }, none)).toBe("invalid");
    expect(question({ ...ready, subject: " " }, none)).toBe("subject");
    expect(question({ ...ready, subject: " " }, new Set(["subject"]))).toBeUndefined();
    const speaks = { ...ready, doc: docOfText("The plan is attached.") };
    expect(question(speaks, none)).toBe("attachment");
    expect(question(speaks, new Set(["attachment"]))).toBeUndefined();
  });

  it("a signature or a quotation that speaks of attachments is not meant", () => {
    const doc = signed(docOfText("Hello"), sign("Please find attached"), true);
    expect(question({ ...ready, doc }, none)).toBeUndefined();
  });
});

describe("a text speaks of attachments", () => {
  it.each([
    "Please find attached the plan.",
    "I've attached the photos",
    "I attach the invoice.",
    "See the attachment",
    "Vous trouverez ci-joint le plan.",
    "Veuillez trouver ci-jointes les photos",
    "Le plan est en pièce jointe",
    "Je vous joins le devis",
    "Le document joint",
    "Voir la PJ",
  ])("%s", (text) => {
    expect(speaksOfAttachments("", text)).toBe(true);
  });

  it.each([
    "He is very attached to his dog.",
    "Je te rejoins à midi",
    "Joignez-nous samedi",
    "> Please find attached",
    "Le joint du robinet fuit",
  ])("or does not: %s", (text) => {
    expect(speaksOfAttachments("", text)).toBe(false);
  });
});

it("later is this evening, tomorrow, or on Monday", () => {
  const names = (iso: string) => presets(new Date(iso)).map(([name, at]) => `${name} ${local(at)}`);
  expect(names("2026-12-01T10:00")).toEqual([
    "evening 2026-12-01T18:00",
    "tomorrow 2026-12-02T08:00",
    "monday 2026-12-07T08:00",
  ]);
  // A Sunday evening: Monday is tomorrow.
  expect(names("2026-12-06T20:00")).toEqual(["tomorrow 2026-12-07T08:00"]);
});

it("a link to an address begins a message, with what is the writer's to see", () => {
  expect(
    wishOf(
      "mailto:a@b.example,c%40d.example?subject=A%20b&body=x%0D%0Ay&cc=e@f.example&attach=/etc/passwd",
    ),
  ).toEqual({
    to: [
      { name: null, email: "a@b.example" },
      { name: null, email: "c@d.example" },
    ],
    cc: [{ name: null, email: "e@f.example" }],
    bcc: [],
    subject: "A b",
    text: "x\ny",
  });
});
