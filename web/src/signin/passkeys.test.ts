import { describe, expect, it } from "vitest";
import { octets, text } from "./passkeys.ts";

describe("octets of a passkey", () => {
  it("are written without padding and in letters that an address may have", () => {
    expect(text(new Uint8Array([0xfb, 0xff, 0xfe]).buffer)).toBe("-__-");
    expect(text(new Uint8Array([1]).buffer)).toBe("AQ");
  });
  it("come back as they were, whatever their number", () => {
    for (let length = 0; length < 70; length++) {
      const before = Uint8Array.from({ length }, (_, n) => (n * 83) % 256);
      expect([...octets(text(before.buffer))]).toEqual([...before]);
    }
  });
});
