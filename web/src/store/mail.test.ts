import { beforeEach, describe, expect, it, vi } from "vitest";
import { RequestError } from "../jmap/index.ts";
import { MailStore, type MessageList } from "./index.ts";
import { email, FakeServer } from "./testing/fake.ts";

const SPEC = {
  filter: { inMailbox: "inbox" },
  sort: [{ property: "receivedAt", isAscending: false }],
  collapseThreads: true,
};

let server: FakeServer;
let mail: MailStore;
let list: MessageList;

/** Everything that is under way has ended. */
async function quiet(): Promise<void> {
  for (let n = 0; n < 30; n++) await new Promise((resolve) => setTimeout(resolve, 0));
}

async function opened(emails: ReturnType<typeof email>[], rows = 10): Promise<void> {
  server = new FakeServer(emails);
  mail = new MailStore(server);
  await mail.start();
  list = mail.list(SPEC);
  mail.watch(list);
  mail.need(list, 0, rows);
  await quiet();
}

const ids = (to = list.length) => Array.from({ length: to }, (_, n) => list.at(n));
const many = (count: number) => Array.from({ length: count }, (_, n) => email(count - n));

describe("a list of any length", () => {
  beforeEach(() => opened(many(1000)));

  it("knows its length and its first rows after one request", () => {
    expect(server.requests.length).toBe(2); // of the start, and of the list
    expect(list.length).toBe(1000);
    expect(list.at(0)).toBe("e1000");
    expect(mail.emails.get("e1000")?.subject).toBe("Subject 1000");
    expect(list.at(50)).toBeUndefined();
  });

  it("asks for each window once, wherever it is", async () => {
    mail.need(list, 480, 520);
    mail.need(list, 490, 530);
    await quiet();
    expect(list.at(480)).toBe("e520");
    expect(list.at(529)).toBe("e471");
    expect(server.requests.length).toBe(4);
    mail.need(list, 480, 530);
    await quiet();
    expect(server.requests.length).toBe(4);
  });

  it("gets what is new at its place, without looking up what it has", async () => {
    server.put(email(2000));
    await mail.sender.look();
    expect(list.length).toBe(1001);
    expect(ids(3)).toEqual(["e2000", "e1000", "e999"]);
    const before = server.requests.length;
    mail.need(list, 0, 40);
    await quiet();
    expect(server.requests.length).toBe(before);
  });

  it("looks up again what may have moved, and shows what it knew meanwhile", async () => {
    mail.need(list, 500, 550);
    await quiet();
    server.put(email(2000));
    await mail.sender.look();
    expect(list.at(501)).toBe("e500");
    mail.need(list, 500, 540);
    await quiet();
    expect(list.at(500)).toBe("e501");
    expect(list.at(501)).toBe("e500");
  });

  it("is looked up anew where the server has forgotten what changed", async () => {
    server.put(email(2000));
    server.forgets = 100;
    await mail.sender.look();
    mail.need(list, 0, 40);
    await quiet();
    expect(ids(2)).toEqual(["e2000", "e1000"]);
  });
});

describe("a server that cannot tell how a list changed", () => {
  it("is asked again for what is shown", async () => {
    server = new FakeServer(many(100));
    server.canCalculateChanges = false;
    mail = new MailStore(server);
    await mail.start();
    list = mail.list(SPEC);
    mail.watch(list);
    mail.need(list, 0, 10);
    await quiet();
    server.put(email(2000));
    await mail.sender.look();
    mail.need(list, 0, 10);
    await quiet();
    expect(ids(2)).toEqual(["e2000", "e100"]);
  });
});

describe("putting a message away", () => {
  beforeEach(() => opened(many(60)));

  const archive = (id: string) =>
    mail.act({ kind: "move", from: "inbox", to: "archive" }, [id], { list, rows: [id] });

  it("shows at once, and counts at once", () => {
    archive("e59");
    expect(ids(2)).toEqual(["e60", "e58"]);
    expect(list.length).toBe(59);
    expect(mail.mailboxes.get("inbox")).toMatchObject({ totalEmails: 59, unreadEmails: 59 });
    expect(mail.mailboxes.get("archive")).toMatchObject({ totalEmails: 1 });
    expect(server.emails.get("e59")?.mailboxIds).toEqual({ inbox: true });
  });

  it("is the same after the server has it, and never comes back meanwhile", async () => {
    archive("e59");
    const shown = new Set<unknown>();
    list.subscribe(() => shown.add(list.indexOf("e59")));
    await quiet();
    expect(server.emails.get("e59")?.mailboxIds).toEqual({ archive: true });
    expect(list.length).toBe(59);
    expect([...shown]).toEqual([-1]);
    expect(mail.mailboxes.get("inbox")).toMatchObject({ totalEmails: 59, unreadEmails: 59 });
  });

  it("goes in one request with what else was done at that moment", async () => {
    const before = server.requests.length;
    archive("e59");
    archive("e58");
    mail.act({ kind: "keyword", keyword: "$flagged", on: true }, ["e57"]);
    await quiet();
    expect(server.requests.length).toBe(before + 1);
    expect(server.requests.at(-1)?.slice(0, 4)).toEqual([
      "Email/set",
      "Email/set",
      "Email/set",
      "Mailbox/changes",
    ]);
    expect(ids(2)).toEqual(["e60", "e57"]);
  });

  it("is taken back before it left, and the server hears nothing of it", async () => {
    const before = server.requests.length;
    archive("e59")?.undo();
    expect(ids(3)).toEqual(["e60", "e59", "e58"]);
    await quiet();
    expect(server.requests.length).toBe(before);
    expect(mail.mailboxes.get("inbox")?.totalEmails).toBe(60);
  });

  it.each(["while it is under way", "after the server had it"])(
    "is taken back %s",
    async (when) => {
      let open = () => {};
      server.gate = new Promise((resolve) => {
        open = resolve;
      });
      const done = archive("e59");
      await quiet();
      if (when.startsWith("after")) {
        open();
        await quiet();
      }
      done?.undo();
      const shown = new Set<number>();
      list.subscribe(() => shown.add(list.indexOf("e59")));
      expect(ids(3)).toEqual(["e60", "e59", "e58"]);
      open();
      await quiet();
      expect(ids(3)).toEqual(["e60", "e59", "e58"]);
      expect(list.length).toBe(60);
      expect([...shown].filter((at) => at !== 1 && at !== -1)).toEqual([]);
      expect(server.emails.get("e59")?.mailboxIds).toEqual({ inbox: true });
      expect(mail.mailboxes.get("inbox")?.totalEmails).toBe(60);
    },
  );

  it("goes with the page that is left, while another is under way", async () => {
    let open = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    archive("e59");
    await quiet();
    archive("e58");
    mail.sender.leave();
    expect(server.emails.get("e58")?.mailboxIds).toEqual({ archive: true });
    // The page came back after all: it goes again, and nothing is another.
    open();
    await quiet();
    expect(list.length).toBe(58);
    expect(server.emails.get("e58")?.mailboxIds).toEqual({ archive: true });
  });

  it("comes back where it was when the server refuses, and says so", async () => {
    server.locked.add("e59");
    const told = vi.fn();
    mail.refused.subscribe(told);
    archive("e59");
    expect(list.length).toBe(59);
    await quiet();
    expect(ids(3)).toEqual(["e60", "e59", "e58"]);
    expect(told).toHaveBeenCalledOnce();
    expect(mail.mailboxes.get("inbox")?.totalEmails).toBe(60);
  });

  it("waits for a connection, and is done once", async () => {
    vi.useFakeTimers();
    server.failure = new RequestError("offline", "gone");
    archive("e59");
    await vi.advanceTimersByTimeAsync(10);
    expect(mail.sender.trouble).toBe("offline");
    expect(list.length).toBe(59);
    await vi.advanceTimersByTimeAsync(1_100);
    vi.useRealTimers();
    await quiet();
    expect(mail.sender.trouble).toBe("");
    expect(server.emails.get("e59")?.mailboxIds).toEqual({ archive: true });
    expect(list.length).toBe(59);
  });
});

describe("a conversation", () => {
  beforeEach(() =>
    opened([
      email(1, { threadId: "talk", keywords: { $seen: true } }),
      email(2, { threadId: "talk", mailboxIds: { archive: true } }),
      email(3, { threadId: "talk", from: [{ name: "Writer 1", email: "w1@example.test" }] }),
      email(4),
    ]),
  );

  it("is one row of all its messages", () => {
    expect(ids()).toEqual(["e4", "e3"]);
    const row = mail.threads.row("e3", true, false);
    expect(row).toMatchObject({ count: 3, unread: true });
    expect(row?.people.map(({ email }) => email)).toEqual(["w1@example.test", "w2@example.test"]);
  });

  it("keeps the row that it was until something of it changes", () => {
    const row = mail.threads.row("e3", true, false);
    expect(mail.threads.row("e3", true, false)).toBe(row);
    mail.act({ kind: "keyword", keyword: "$seen", on: true }, ["e2", "e3"]);
    expect(mail.threads.row("e3", true, false)).toMatchObject({ unread: false });
  });

  it("is joined at once by a reply that comes", async () => {
    server.put(email(5, { threadId: "talk" }));
    await mail.sender.look();
    expect(ids()).toEqual(["e5", "e4"]);
    expect(mail.threads.row("e5", true, false)?.count).toBe(4);
  });
});

describe("what was looked up and what changed meanwhile", () => {
  it("never shows the older one", async () => {
    await opened(many(60));
    let open = () => {};
    server.gate = new Promise((resolve) => {
      open = resolve;
    });
    // Answered with the state before the change, and late.
    mail.need(list, 50, 60);
    mail.emails.load([{ ...email(10), preview: "known" }], mail.emails.now());
    const gate = server.gate;
    server.gate = undefined;
    mail.act({ kind: "keyword", keyword: "$seen", on: true }, ["e10"]);
    await quiet();
    server.gate = gate;
    open();
    await quiet();
    expect(mail.emails.get("e10")?.keywords).toEqual({ $seen: true });
  });
});
