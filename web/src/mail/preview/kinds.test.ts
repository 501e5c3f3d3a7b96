import { describe, expect, it } from "vitest";
import { kindOf } from "./kinds.ts";

describe("what is shown of a file", () => {
  it("goes by its type, and by its name where that says nothing", () => {
    expect(kindOf({ type: "image/png", name: "a" })).toBe("picture");
    expect(kindOf({ type: "application/octet-stream", name: "Plan.PDF" })).toBe("pdf");
    expect(kindOf({ type: "message/rfc822", name: null })).toBe("message");
    expect(kindOf({ type: "text/calendar", name: null })).toBe("event");
    expect(kindOf({ type: "application/octet-stream", name: "notes.md" })).toBe("text");
  });

  it("is never a page, a drawing or a program, whatever they are called", () => {
    for (const type of ["text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"]) {
      expect(kindOf({ type, name: "harmless.png" })).toBe("other");
    }
    expect(kindOf({ type: "application/octet-stream", name: "page.html" })).toBe("other");
    expect(kindOf({ type: "application/octet-stream", name: "drawing.svg" })).toBe("other");
  });
});
