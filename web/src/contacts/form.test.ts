import { describe, expect, it } from "vitest";
import type { Card } from "../jmap/index.ts";
import { bookFor, type Form, formOf, inverse, patchOf } from "./form.ts";

const ada: Card = {
  id: "C1",
  uid: "ada",
  addressBookIds: { B1: true },
  name: {
    full: "Dr Ada King Lovelace",
    components: [
      { kind: "title", value: "Dr" },
      { kind: "given", value: "Ada" },
      { kind: "given2", value: "King" },
      { kind: "surname", value: "Lovelace" },
    ],
  },
  emails: {
    e1: { address: "ada@example.org", contexts: { work: true }, pref: 1 },
    e2: { address: "ada@example.net" },
  },
  phones: { p1: { number: "+44 20", features: { mobile: true, text: true } } },
  addresses: { a1: { full: "12 St James's Square\nLondon" } },
  anniversaries: { b1: { kind: "birth", date: { year: 1815, month: 12, day: 10 } } },
  media: { m1: { kind: "photo", blobId: "C1-5" }, m2: { kind: "logo", uri: "https://a.example" } },
};

const change = (part: Partial<Form>) => patchOf(ada, { ...formOf(ada, "B1"), ...part }, "B1");

describe("the form of a card", () => {
  it("changes nothing where nothing was typed", () => {
    expect(change({})).toEqual({});
  });

  it("shows what there is", () => {
    expect(formOf(ada, "B1")).toMatchObject({
      given: "Ada",
      surname: "Lovelace",
      birthday: "1815-12-10",
      book: "B1",
      emails: [
        { key: "e1", value: "ada@example.org", where: "work" },
        { key: "e2", value: "ada@example.net", where: "" },
      ],
      phones: [{ where: "mobile" }],
      addresses: [{ street: "12 St James's Square, London" }],
    });
    expect(formOf({ name: { full: "Prince" } }, "B1")).toMatchObject({ given: "Prince" });
  });

  it("keeps the parts of a name that it does not show", () => {
    expect(change({ surname: "Byron" }).name).toMatchObject({
      full: "Dr Ada King Byron",
      components: [
        { kind: "title", value: "Dr" },
        { kind: "given", value: "Ada" },
        { kind: "given2", value: "King" },
        { kind: "surname", value: "Byron" },
      ],
    });
  });

  it("keeps what else is known of an address, and lets go of one that is taken out", () => {
    const [first] = formOf(ada, "B1").emails;
    const line = { key: "e1", value: " ada@example.com ", where: "private" } as const;
    expect(first).toBeDefined();
    expect(change({ emails: [line, { key: "N2", value: "  ", where: "" }] })).toEqual({
      emails: { e1: { address: "ada@example.com", contexts: { private: true }, pref: 1 } },
    });
    expect(change({ emails: [] })).toEqual({ emails: null });
  });

  it("keeps what else a telephone can do", () => {
    expect(change({ phones: [{ key: "p1", value: "+44 20", where: "work" }] })).toEqual({
      phones: { p1: { number: "+44 20", features: { text: true }, contexts: { work: true } } },
    });
  });

  it("writes the parts of an address in place of its text", () => {
    const [line] = formOf(ada, "B1").addresses;
    if (!line) throw new Error("there is one");
    const addresses = [{ ...line, street: "12 St James's Square", locality: "London" }];
    expect(change({ addresses })).toEqual({
      addresses: {
        a1: {
          components: [
            { kind: "name", value: "12 St James's Square" },
            { kind: "locality", value: "London" },
          ],
        },
      },
    });
  });

  it("takes a photo away, and nothing beside it", () => {
    expect(change({ photo: null })).toEqual({ media: { m2: ada.media?.m2 } });
    expect(change({ photo: { blobId: "U1", mediaType: "image/jpeg" } }).media).toMatchObject({
      N2: { kind: "photo", blobId: "U1" },
    });
  });

  it("can be taken back", () => {
    const patch = change({ birthday: "", note: "First", book: "B2" });
    expect(patch).toMatchObject({ anniversaries: null, addressBookIds: { B2: true } });
    expect(inverse(ada, patch)).toEqual({
      anniversaries: ada.anniversaries,
      notes: null,
      addressBookIds: { B1: true },
    });
  });
});

describe("where a new card goes", () => {
  const book = (id: string, account: string, mayWrite: boolean, isDefault = false) =>
    ({ id, account, isDefault, myRights: { mayWrite } }) as Parameters<
      typeof bookFor
    >[0][number] & {
      account: string;
    };
  const books = [book("B1", "A1", true), book("B2", "A1", true, true), book("B3", "A2", false)];

  it.each([
    ["B1", "B1"],
    ["all", "B2"],
    ["B3", "B2"],
  ])("looking at %s it is %s", (at, to) => {
    expect(bookFor(books, at, "A1")?.id).toBe(to);
  });
});
