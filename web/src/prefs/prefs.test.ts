import { describe, expect, it } from "vitest";
import { coloursOf, DEFAULTS, read } from "./index.ts";

describe("what was kept", () => {
  it("is taken as far as it makes sense", () => {
    expect(read('{"theme":"dark","density":"huge","conversations":false,"listWidth":20}')).toEqual({
      ...DEFAULTS,
      theme: "dark",
      conversations: false,
    });
  });
  it.each([null, "", "{", "7", "null", "[]"])("is as nothing when it is %s", (text) => {
    expect(read(text)).toEqual(DEFAULTS);
  });
});

describe("colours", () => {
  it("follow the system until somebody chose", () => {
    expect(coloursOf("auto", true, false)).toBe("dark");
    expect(coloursOf("auto", false, true)).toBe("contrast");
    expect(coloursOf("light", true, false)).toBe("light");
  });
  it("of high contrast are dark where the system is", () => {
    expect(coloursOf("contrast", true, false)).toBe("contrast-dark");
  });
});
