import { describe, expect, it } from "vitest";
import type { Email } from "../jmap/index.ts";
import { action, condition, isWhole, queryOf, rule, ruleLike, shifted } from "./rules.ts";

const from = condition({ value: "a@b.c" });

describe("a rule made from a message", () => {
  const email = { from: [{ name: "News", email: "n@x.org" }] } as unknown as Email;
  it("is about its list where it came by one, else about who wrote it", () => {
    expect(ruleLike(email, "cats.lists").conditions[0]).toMatchObject({
      field: "list",
      value: "cats.lists",
    });
    expect(ruleLike(email, "").conditions[0]).toMatchObject({ field: "from", value: "n@x.org" });
    expect(ruleLike(email, "").name).toBe("News");
  });
});

describe("what a rule would have caught", () => {
  it("is looked for by all of its conditions, or any", () => {
    const conditions = [from, condition({ field: "subject", value: "x", negated: true })];
    const not = { operator: "NOT", conditions: [{ subject: "x" }] };
    expect(queryOf(rule({ conditions: [from] }))).toEqual({ from: "a@b.c" });
    expect(queryOf(rule({ conditions }))).toEqual({
      operator: "AND",
      conditions: [{ from: "a@b.c" }, not],
    });
    expect(queryOf(rule({ conditions, match: "any" }))).toMatchObject({ operator: "OR" });
  });
  it("is not guessed where a condition says nothing", () => {
    const conditions = [from, condition({ field: "subject", value: " " })];
    expect(queryOf(rule({ conditions, match: "any" }))).toBeUndefined();
    expect(queryOf(rule({ conditions: [condition()] }))).toBeUndefined();
    expect(queryOf(rule({ conditions: [condition({ field: "size", value: "big" })] }))).toBe(
      undefined,
    );
  });
});

describe("a rule", () => {
  it("is kept only where it says what to look for and what to do", () => {
    const whole = rule({ conditions: [from], actions: [action({ mailbox: "M1" })] });
    expect(isWhole(whole)).toBe(true);
    expect(isWhole({ ...whole, conditions: [] })).toBe(false);
    expect(isWhole({ ...whole, conditions: [condition()] })).toBe(false);
    expect(isWhole({ ...whole, actions: [action()] })).toBe(false);
    expect(isWhole({ ...whole, actions: [action({ does: "forward", address: "x" })] })).toBe(false);
    expect(isWhole({ ...whole, actions: [action({ does: "mark" })] })).toBe(false);
  });
  it("changes its place, and stays where there is none", () => {
    expect(shifted(["a", "b", "c"], 2, -1)).toEqual(["a", "c", "b"]);
    expect(shifted(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
    expect(shifted(["a", "b"], 1, 1)).toEqual(["a", "b"]);
  });
});
