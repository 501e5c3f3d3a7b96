import { describe, expect, it } from "vitest";
import { messageId } from "./known.ts";

const of = (text: string) => messageId(new TextEncoder().encode(text));

describe("a message is known by its Message-ID", () => {
  it("of its header, wherever the field stands and however it is folded", () => {
    expect(of("Subject: x\r\nMessage-ID: <a@b.c>\r\n\r\nText")).toBe("a@b.c");
    expect(of("message-id:\r\n <a@b.c>\r\nSubject: x\r\n\r\n")).toBe("a@b.c");
  });
  it("and of no other", () => {
    expect(of("Subject: x\r\n\r\nMessage-ID: <a@b.c>\r\n")).toBe("");
    expect(of("In-Reply-To: <a@b.c>\r\nX-Message-ID: <d@b.c>\r\n\r\n")).toBe("");
  });
});
