import { describe, expect, it } from "vitest";
import { dateOf, type Found, keywordsOf, messagesOf } from "./mbox.ts";

const octets = (text: string) => new TextEncoder().encode(text);

async function read(text: string, size = 1_000_000): Promise<Found[]> {
  async function* pieces() {
    const all = octets(text);
    for (let at = 0; at < all.length; at += size) yield all.subarray(at, at + size);
  }
  const found: Found[] = [];
  for await (const one of messagesOf(pieces())) found.push(one);
  return found;
}

const BOX = `From ada@x.org Tue Dec  1 10:20:30 2026
Subject: one
Status: RO

First
>From here on
>>From there

From the beginning of a line, not of a message.

From bob@x.org Wed Dec  2 00:00:00 2026 +0200
Subject: two
X-Mozilla-Status: 0006

Second
`;

describe("an mbox file", () => {
  it("is its messages, wherever the pieces of it end", async () => {
    for (const size of [1, 2, 7, 64, 1_000_000]) {
      const [one, two, ...more] = await read(BOX, size);
      expect(more).toEqual([]);
      const text = new TextDecoder().decode(one?.octets);
      expect(text).toBe(
        "Subject: one\r\nStatus: RO\r\n\r\nFirst\r\nFrom here on\r\n>From there\r\n\r\n" +
          "From the beginning of a line, not of a message.\r\n",
      );
      expect(one?.receivedAt).toBe("2026-12-01T10:20:30Z");
      expect(one?.keywords).toEqual(["$seen"]);
      expect(two?.receivedAt).toBe("2026-12-01T22:00:00Z");
      expect(two?.keywords).toEqual(["$answered", "$flagged"]);
    }
  });
  it("may have line ends of either kind", async () => {
    const [one] = await read(BOX.replace(/\n/g, "\r\n"));
    expect(new TextDecoder().decode(one?.octets)).toMatch(/^Subject: one\r\nStatus: RO\r\n\r\n/);
  });
  it("is told from what is none", async () => {
    await expect(read("Subject: a message alone\n\nHello\n")).rejects.toThrow("not mbox");
    expect(await read("")).toEqual([]);
  });
});

describe("what is noted of a message", () => {
  it("is when it came, where that is said", () => {
    expect(dateOf("From x Thu Jan  1 00:00 1998")).toBe("1998-01-01T00:00:00Z");
    expect(dateOf("From - nobody knows when")).toBeUndefined();
  });
  it("is looked for in the header alone", () => {
    expect(keywordsOf(octets("Subject: x\r\n\r\nStatus: RO\r\n"))).toEqual([]);
  });
});
