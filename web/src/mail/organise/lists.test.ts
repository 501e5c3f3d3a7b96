import { describe, expect, it } from "vitest";
import { listFields } from "./lists.ts";

const fields = (id: string | null, where: unknown, how: string | null) =>
  listFields({
    "header:List-Id:asText": id,
    "header:List-Unsubscribe:asURLs": where,
    "header:List-Unsubscribe-Post:asText": how,
  });

describe("the list that a message came by", () => {
  it("is known by its id, without the words before it", () => {
    expect(fields('"The list" <cats.example.org>', null, null).list).toBe("cats.example.org");
    expect(fields("cats", null, null).list).toBe("");
  });
  it("is left in one step only where it says so, over https", () => {
    const way = "List-Unsubscribe=One-Click";
    const urls = ["mailto:leave@x.org", "https://x.org/leave"];
    expect(fields(null, urls, way)).toEqual({ list: "", oneStep: true, page: urls[1] });
    expect(fields(null, urls, null).oneStep).toBe(false);
    expect(fields(null, ["http://x.org/leave"], way)).toMatchObject({ oneStep: false, page: "" });
    expect(fields(null, null, way).oneStep).toBe(false);
  });
});
