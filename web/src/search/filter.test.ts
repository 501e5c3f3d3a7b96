import { describe, expect, it } from "vitest";
import type { Mailbox } from "../jmap/index.ts";
import { type Known, mailboxNamed, search } from "./filter.ts";

function box(id: string, name: string, more: Partial<Mailbox> = {}): Mailbox {
  return {
    id,
    name,
    role: null,
    parentId: null,
    sortOrder: 0,
    totalEmails: 0,
    unreadEmails: 0,
    totalThreads: 0,
    unreadThreads: 0,
    myRights: {},
    isSubscribed: true,
    ...more,
  };
}

const KNOWN: Known = {
  mailboxes: [
    box("i", "INBOX", { role: "inbox" }),
    box("s", "Sent Items", { role: "sent" }),
    box("j", "Junk", { role: "junk" }),
    box("t", "Trash", { role: "trash" }),
    box("p", "Projets d'été"),
    box("c", "Child", { parentId: "p" }),
  ],
  nameOf: ({ role, name }) => (role === "sent" ? "Envoyés" : name),
  labels: [{ id: "k_1", name: "À faire" }],
};
const NEITHER = { inMailboxOtherThan: ["j", "t"] };

/** Of a search in a named folder, what is asked beside it. */
const found = (text: string) => search(text, KNOWN, new Date(2026, 5, 15));

describe("the filter of a search", () => {
  it("looks everywhere but in junk and trash, unless it says where", () => {
    expect(found("word")).toEqual({ operator: "AND", conditions: [{ text: "word" }, NEITHER] });
    expect(found("in:inbox")).toEqual({ inMailbox: "i" });
    expect(found("in:anywhere word")).toEqual({ text: "word" });
    expect(found("-in:inbox")).toEqual({
      operator: "AND",
      conditions: [{ operator: "NOT", conditions: [{ inMailbox: "i" }] }, NEITHER],
    });
  });

  it.each([
    ['two "more words"', { text: 'two "more words"' }],
    ['from:"Ann Smith"', { from: '"Ann Smith"' }],
    ["to:a", { to: "a" }],
    ["subject:x", { subject: "x" }],
    ["-word", { operator: "NOT", conditions: [{ text: "word" }] }],
    ["a OR from:b", { operator: "OR", conditions: [{ text: "a" }, { from: "b" }] }],
    ["is:unread", { notKeyword: "$seen" }],
    ["is:starred", { hasKeyword: "$flagged" }],
    ["has:attachment", { hasAttachment: true }],
    ["larger:1M", { minSize: 1_000_000 }],
    ["smaller:1k", { maxSize: 1_000 }],
    ["label:a_faire", { hasKeyword: "a_faire" }],
    ['label:"a faire"', { hasKeyword: "k_1" }],
    ['label:"New one!"', { hasKeyword: "new_one_" }],
    ["in:nowhere", { operator: "OR", conditions: [] }],
  ])("of %s", (text, condition) => {
    const conditions = text.startsWith("in:") ? [condition] : [condition, NEITHER];
    const expected = conditions.length > 1 ? { operator: "AND", conditions } : condition;
    expect(found(text)).toEqual(expected);
  });

  it("has days that begin where the reader is", () => {
    const midnight = new Date(2026, 0, 31).toISOString().replace(".000", "");
    expect(found("in:inbox before:2026-01-31")).toEqual({
      operator: "AND",
      conditions: [{ inMailbox: "i" }, { before: midnight }],
    });
  });

  it("is the same from one minute to the next", () => {
    const at = (hour: number) => search("after:7d", KNOWN, new Date(2026, 5, 15, hour));
    expect(at(1)).toEqual(at(23));
  });

  it.each([
    ["inbox", "i"],
    ["Envoyes", "s"],
    ["sent items", "s"],
    ["PROJETS D'ÉTÉ", "p"],
    ["projets d'ete/child", "c"],
    ["child", "c"],
    ["nothing", undefined],
  ])("knows a mailbox by its names: %s", (name, id) => {
    expect(mailboxNamed(name, KNOWN)?.id).toBe(id);
  });
});
