import "fake-indexeddb/auto";
import { afterEach, describe, expect, it } from "vitest";
import type { Session } from "../jmap/index.ts";
import { Disk, forget } from "./disk.ts";
import { type Kept, MailStore } from "./index.ts";
import { email, FakeServer } from "./testing/fake.ts";

const session: Session = {
  username: "one@example.test",
  accounts: {},
  primaryAccounts: {},
  capabilities: {},
  apiUrl: "/jmap/api",
  downloadUrl: "",
  uploadUrl: "",
  eventSourceUrl: "",
  state: "1",
};
const SPEC = {
  filter: { inMailbox: "inbox" },
  sort: [{ property: "receivedAt", isAscending: false }],
  collapseThreads: true,
};

async function quiet(): Promise<void> {
  for (let n = 0; n < 30; n++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** A visit that saw the inbox; what is worth keeping of it. */
async function visited(server: FakeServer): Promise<[MailStore, Kept]> {
  const mail = new MailStore(server);
  await mail.start();
  mail.need(mail.list(SPEC), 0, 10);
  await quiet();
  return [mail, mail.keep() as Kept];
}

const many = (count: number) => Array.from({ length: count }, (_, n) => email(count - n));

describe("a second visit", () => {
  it("shows what was kept before anything is asked, then what changed since", async () => {
    const server = new FakeServer(many(200));
    const [, kept] = await visited(server);
    server.put(email(900));
    server.put(email(200, { keywords: { $seen: true } }));
    const before = server.requests.length;
    const again = new MailStore(server);
    again.revive(structuredClone(kept));
    const list = again.list(SPEC);
    again.watch(list);
    expect([list.length, list.at(0), list.at(49)]).toEqual([200, "e200", "e151"]);
    expect(again.mailboxes.role("inbox")?.totalEmails).toBe(200);
    expect(again.threads.row("e200", true, false)).toMatchObject({ count: 1, unread: true });
    await quiet();
    expect([list.length, list.at(0), list.at(1)]).toEqual([201, "e900", "e200"]);
    expect(again.threads.row("e200", true, false)).toMatchObject({ unread: false });
    expect(server.requests.length).toBe(before + 1);
  });

  it("keeps the server's state, not what is still on its way there", async () => {
    const server = new FakeServer(many(20));
    const [mail] = await visited(server);
    mail.act({ kind: "keyword", keyword: "$seen", on: true }, ["e20"]);
    expect(mail.keep()?.emails.find(({ id }) => id === "e20")?.keywords).toEqual({});
  });

  it("looks everything up where the server has forgotten what changed", async () => {
    const server = new FakeServer(many(60));
    const [, kept] = await visited(server);
    server.put(email(900));
    server.forgets = 100;
    const again = new MailStore(server);
    again.revive(kept);
    const list = again.list(SPEC);
    again.watch(list);
    await quiet();
    again.need(list, 0, 10);
    await quiet();
    expect(list.at(0)).toBe("e900");
    expect(again.mailboxes.role("inbox")?.totalEmails).toBe(61);
  });

  it("keeps the beginnings of lists, however long they are", async () => {
    const server = new FakeServer(many(1000));
    const [mail] = await visited(server);
    for (const at of [50, 100, 150]) mail.need(mail.list(SPEC), at, at + 50);
    await quiet();
    expect(mail.keep()?.lists[0]).toMatchObject({ total: 1000 });
    expect(mail.keep()?.lists[0]?.ids.length).toBe(100);
    expect(mail.keep()?.emails.length).toBe(100);
  });
});

describe("the disk", () => {
  afterEach(forget);

  it("has what was written for an account, and for that one alone", async () => {
    const [, kept] = await visited(new FakeServer(many(5)));
    const disk = new Disk("one");
    await disk.write({ session, kept });
    const [own, other] = [new Disk("one"), new Disk("two")];
    expect(await own.read()).toMatchObject({ session, kept });
    expect(await other.read()).toBeUndefined();
    await Promise.all([disk.close(), own.close(), other.close()]);
  });

  it("has nothing after everything was forgotten, also while it is open", async () => {
    const [, kept] = await visited(new FakeServer(many(5)));
    const disk = new Disk("one");
    await disk.write({ session, kept });
    await forget();
    await disk.write({ session, kept }); // too late, and no harm
    const again = new Disk("one");
    expect(await again.read()).toBeUndefined();
    await again.close();
  });
});
