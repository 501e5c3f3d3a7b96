import { describe, expect, it } from "vitest";
import { addressOf, type Place, placeOf } from "./index.ts";

describe("places and addresses", () => {
  it.each<[string, Place]>([
    ["/mail/Fa", { at: "mail", mailbox: "Fa", message: undefined, search: undefined }],
    ["/mail/Fa/M1", { at: "mail", mailbox: "Fa", message: "M1", search: undefined }],
    ["/mail/Fa/M1?q=a%20b", { at: "mail", mailbox: "Fa", message: "M1", search: "a b" }],
    ["/contacts/Ba/C1", { at: "contacts", book: "Ba", card: "C1" }],
    ["/contacts/groups", { at: "contacts", book: "groups", card: undefined }],
    ["/settings/language", { at: "settings", page: "language" }],
  ])("%s is there and back", (address, place) => {
    const [path = "", query] = address.split("?");
    expect(placeOf(path, query)).toEqual(place);
    expect(addressOf(place)).toBe(address);
  });

  it.each(["/", "/signin", "/mail", "/mail/", "/mail/..%2f", "/mail/<b>/M1"])(
    "%s is the inbox",
    (path) => {
      expect(placeOf(path)).toMatchObject({ at: "mail", mailbox: "inbox", message: undefined });
    },
  );
});
