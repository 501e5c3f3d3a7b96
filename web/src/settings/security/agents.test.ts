import { describe, expect, it } from "vitest";
import { deviceOf, isHandheld } from "./agents.ts";

const ON = {
  firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  edge: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0",
  iphone:
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
  phone:
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
};

describe("a browser is known by the names that people know", () => {
  it("and not by those that it only says for old servers", () => {
    expect(deviceOf(ON.firefox)).toEqual(["Firefox", "Linux"]);
    expect(deviceOf(ON.edge)).toEqual(["Edge", "Windows"]);
    expect(deviceOf(ON.iphone)).toEqual(["Safari", "iPhone"]);
    expect(deviceOf(ON.phone)).toEqual(["Chrome", "Android"]);
    expect(deviceOf("curl/8.0")).toEqual([]);
  });
  it("and whether it is held in the hand", () => {
    expect(isHandheld(ON.phone)).toBe(true);
    expect(isHandheld(ON.edge)).toBe(false);
  });
});
