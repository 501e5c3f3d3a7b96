import "fake-indexeddb/auto";
import { expect, it } from "vitest";
import { forgetDrafts, Journal } from "./journal.ts";

const all = async (journal: Journal<string>) =>
  (await journal.entries()).map(({ key, draft }) => [key, draft]);

it("a draft is there for the next tab, in its last version, until it is dropped", async () => {
  const one = new Journal<string>("A1 me");
  expect(await one.put("k1", "Hello")).toBe(true);
  await one.put("k1", "Hello all");
  await one.putFile("k1", "f1", new Blob(["x"]));
  await one.close();
  const next = new Journal<string>("A1 me");
  expect(await all(next)).toEqual([["k1", "Hello all"]]);
  expect(await (await next.file("k1", "f1"))?.text()).toBe("x");
  await next.drop("k1");
  expect(await all(next)).toEqual([]);
  expect(await next.file("k1", "f1")).toBeUndefined();
  await next.close();
});

it("nobody finds another's drafts, and nobody any after signing out", async () => {
  const one = new Journal<string>("A1 me");
  const other = new Journal<string>("A2 you");
  await one.put("k1", "mine");
  await one.put("k2", "mine too");
  expect(await all(other)).toEqual([]);
  await other.drop("k1");
  expect(await all(one)).toEqual([
    ["k1", "mine"],
    ["k2", "mine too"],
  ]);
  await forgetDrafts();
  expect(await all(new Journal<string>("A1 me"))).toEqual([]);
});
