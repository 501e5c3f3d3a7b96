/** Lists of what is searched for: where it was found comes with the rows, and what the server will not do is said. */
import { describe, expect, it } from "vitest";
import type { Invocation } from "../jmap/index.ts";
import type { ListSpec } from "./list.ts";
import { MailStore } from "./mail.ts";
import { email, FakeServer } from "./testing/fake.ts";

const SPEC: ListSpec = {
  filter: { inMailbox: "inbox" },
  sort: [{ property: "receivedAt", isAscending: false }],
  collapseThreads: false,
  snippets: true,
};

class SearchServer extends FakeServer {
  /** What queries are answered with in place of a list. */
  refusal = "";
  has = true;

  override answer(calls: readonly Invocation[]): Invocation[] {
    if (this.refusal) return calls.map(([, , id]) => ["error", { type: this.refusal }, id]);
    return super.answer(calls).map(([name, args, id]): Invocation => {
      const asked = calls.find(([, , one]) => one === id)?.[0];
      if (asked !== "SearchSnippet/get" || !this.has) return [name, args, id];
      const list = [{ emailId: "e2", subject: null, preview: "a <mark>word</mark>" }];
      return [asked, { list, notFound: null }, id];
    });
  }
}

async function searched(server: SearchServer) {
  const store = new MailStore(server);
  const list = store.list(SPEC);
  store.need(list, 0, 10);
  for (let n = 0; n < 30; n++) await new Promise((done) => setTimeout(done, 0));
  return { store, list };
}

describe("a list of what is searched for", () => {
  it("knows where rows have it", async () => {
    const { list } = await searched(new SearchServer([email(1), email(2)]));
    expect(list.length).toBe(2);
    expect(list.snippets.get("e2")?.preview).toBe("a <mark>word</mark>");
    expect(list.snippets.get("e1")).toBeUndefined();
  });

  it("has its rows though the server says nothing of where", async () => {
    const server = new SearchServer([email(1)]);
    server.has = false;
    const { list } = await searched(server);
    expect([list.length, list.failed, list.snippets.size]).toEqual([1, false, 0]);
  });

  it("says by what it failed", async () => {
    const server = new SearchServer([email(1)]);
    server.refusal = "unsupportedFilter";
    const { list } = await searched(server);
    expect([list.failed, list.reason, list.ready]).toEqual([true, "unsupportedFilter", false]);
  });

  it("is not kept on disk", async () => {
    const { store } = await searched(new SearchServer([email(1)]));
    await store.start();
    expect(store.keep()?.lists).toEqual([]);
  });
});
