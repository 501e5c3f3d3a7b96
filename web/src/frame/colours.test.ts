import { describe, expect, it } from "vitest";
import { contrast, lightened, luminance, parsed } from "./colours.ts";

const DARK = [0x1a, 0x1e, 0x1c] as const;

describe("colours on a dark page", () => {
  it("reads what a browser computed, and nothing of what is clear", () => {
    expect(parsed("rgb(1, 2, 3)")).toEqual([1, 2, 3]);
    expect(parsed("rgba(1, 2, 3, 0.5)")).toEqual([1, 2, 3]);
    expect(parsed("rgba(0, 0, 0, 0)")).toBeUndefined();
    expect(parsed("color(srgb 1 0 0)")).toBeUndefined();
  });

  it("knows contrast as WCAG does", () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(contrast([255, 255, 255], [0, 0, 0])).toBeCloseTo(21);
    expect(luminance([255, 255, 255])).toBeCloseTo(1);
  });

  it("makes words light enough to be read, whatever they were", () => {
    for (const colour of [
      [0, 0, 0],
      [0, 0, 255],
      [128, 0, 0],
      [31, 73, 125],
      [51, 51, 51],
    ] as const) {
      expect(contrast(lightened(colour), DARK)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("leaves alone what can be read", () => {
    expect(lightened([200, 200, 255])).toEqual([200, 200, 255]);
  });
});
