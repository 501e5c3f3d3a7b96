import { describe, expect, it } from "vitest";
import { preferred } from "./index.ts";

describe("the language that a browser gets", () => {
  it("is the one that was chosen in it", () => {
    expect(preferred("fr", ["en-GB"])).toBe("fr");
  });
  it("is else the first of the browser's that there is, whatever the country", () => {
    expect(preferred(null, ["de-DE", "fr-CA", "en"])).toBe("fr");
    expect(preferred("xx", ["FR"])).toBe("fr");
  });
  it("is English where none of them is there", () => {
    expect(preferred(null, ["de", "pt-BR"])).toBe("en");
    expect(preferred(null, [])).toBe("en");
  });
});
