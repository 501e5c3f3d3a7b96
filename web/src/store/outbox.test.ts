import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { forgetOutbox, Outbox } from "./index.ts";
import { MailStore } from "./mail.ts";
import { email, FakeServer } from "./testing/fake.ts";

/** Locks as browsers have them, as far as they are used. */
class Locks {
  readonly #held = new Set<string>();
  request(name: string, ...rest: unknown[]): Promise<unknown> {
    const run = rest.at(-1) as (lock: object | null) => Promise<unknown>;
    if (rest.length > 1 && this.#held.has(name)) return run(null);
    this.#held.add(name);
    return run({}).finally(() => this.#held.delete(name));
  }
}

const SPEC = {
  filter: { inMailbox: "inbox" },
  sort: [{ property: "receivedAt", isAscending: false }],
  collapseThreads: true,
};

async function quiet(): Promise<void> {
  for (let n = 0; n < 30; n++) await new Promise((resolve) => setTimeout(resolve, 0));
}

describe("what waits", () => {
  beforeEach(() => {
    vi.stubGlobal("navigator", { locks: new Locks() });
  });
  afterEach(async () => {
    vi.unstubAllGlobals();
    await forgetOutbox();
  });

  it("of a tab that is gone is taken over, once; of one that is open it is not", async () => {
    const gone = new Outbox("a");
    const open = new Outbox("a");
    await gone.write([{ e1: { "keywords/$seen": true } }]);
    await open.write([{ e2: { "keywords/$seen": true } }]);
    await gone.close();
    const next = new Outbox("a");
    expect(await next.inherit()).toEqual([{ e1: { "keywords/$seen": true } }]);
    expect(await next.inherit()).toEqual([]);
    await Promise.all([open.close(), next.close()]);
  });

  it("is nothing of another account's", async () => {
    const gone = new Outbox("a");
    await gone.write([{ e1: {} }]);
    await gone.close();
    const other = new Outbox("b");
    expect(await other.inherit()).toEqual([]);
    await other.close();
  });

  it("is shown as done at the next visit, and sent", async () => {
    const server = new FakeServer([email(3), email(2), email(1)]);
    const first = new MailStore(server);
    await first.start();
    first.need(first.list(SPEC), 0, 10);
    await quiet();
    const kept = first.keep();
    if (!kept) throw new Error("nothing is kept");
    const again = new MailStore(server);
    again.revive(kept);
    again.resume([{ e3: { "mailboxIds/inbox": null, "mailboxIds/archive": true } }]);
    const list = again.list(SPEC);
    expect([list.length, list.at(0)]).toEqual([2, "e2"]);
    again.watch(list);
    await quiet();
    expect(list.length).toBe(2);
    expect(server.emails.get("e3")?.mailboxIds).toEqual({ archive: true });
    expect(again.sender.waiting).toEqual([]);
  });
});
