import "fake-indexeddb/auto";
import { afterEach, describe, expect, it } from "vitest";
import {
  Answers,
  Batch,
  type Email,
  type EmailBody,
  type Invocation,
  RequestError,
  type Transport,
} from "../jmap/index.ts";
import { forgetShelf, gather, Shelf, ShelvedTransport } from "./index.ts";

const DAY = 86_400_000;
const NOW = Date.parse("2026-12-01T12:00:00Z");

function email(number: number, more: Partial<Email> = {}): Email {
  return {
    id: `e${number}`,
    threadId: `t${number}`,
    mailboxIds: { inbox: true },
    keywords: {},
    receivedAt: `${new Date(NOW - (100 - number) * 60_000).toISOString().slice(0, 19)}Z`,
    size: 100,
    subject: `Subject ${number}`,
    from: [{ name: "Élodie", email: "e@example.test" }],
    to: null,
    preview: "",
    hasAttachment: false,
    ...more,
  };
}

const text = ({ id }: Email) =>
  ({ id, bodyValues: { 1: { value: `text of ${id}` } } }) as unknown as EmailBody;

/** A server with some mail, as far as the shelf asks it. */
class Server implements Transport {
  readonly mail = new Map<string, Email>();
  readonly updated: string[] = [];
  readonly destroyed: string[] = [];
  away: RequestError | undefined;
  forgot = false;
  asked: string[] = [];

  batch(): Batch {
    return new Batch("a");
  }

  put(...all: Email[]): void {
    for (const one of all) this.mail.set(one.id, one);
  }

  async send(batch: Batch): Promise<Answers> {
    if (this.away) throw this.away;
    return new Answers(
      batch.calls.map(([name, args, id]) => {
        this.asked.push(name);
        return this.#answer(name, args as Record<string, unknown>, id);
      }),
    );
  }

  #answer(name: string, args: Record<string, unknown>, id: string): Invocation {
    const all = [...this.mail.values()];
    if (name === "Email/query") {
      const { after } = args.filter as { after: string };
      const found = all
        .filter((one) => one.receivedAt >= after)
        .sort((a, b) => (a.receivedAt < b.receivedAt ? 1 : -1))
        .map((one) => one.id);
      const from = args.position as number;
      return [name, { ids: found.slice(from, from + (args.limit as number)) }, id];
    }
    if (name === "Email/changes") {
      if (this.forgot) return ["error", { type: "cannotCalculateChanges" }, id];
      const answer = { newState: "2", hasMoreChanges: false, destroyed: this.destroyed };
      return [name, answer, id];
    }
    const ids = (args.ids as string[] | undefined) ?? this.updated;
    const rows = ids.flatMap((one) => this.mail.get(one) ?? []);
    const bodies = (args.properties as string[]).includes("bodyValues");
    return [name, { state: "1", list: bodies ? rows.map(text) : rows, notFound: [] }, id];
  }
}

const always = async () => true;
const LIST = {
  filter: { inMailbox: "inbox" },
  sort: [{ property: "receivedAt", isAscending: false }],
};

async function gathered(server: Server): Promise<[Shelf, ShelvedTransport]> {
  const shelf = new Shelf("a");
  await gather(server, shelf, always, NOW);
  return [shelf, new ShelvedTransport(server, shelf)];
}

const offline = () => new RequestError("offline", "no connection");

describe("the shelf", () => {
  afterEach(forgetShelf);

  it("has the mail of thirty days with its text, and no other", async () => {
    const server = new Server();
    const old = new Date(NOW - 31 * DAY).toISOString();
    server.put(email(1), email(2), email(3, { receivedAt: old }));
    const [shelf] = await gathered(server);
    expect((await shelf.ids()).sort()).toEqual(["e1", "e2"]);
    expect((await shelf.body("e2"))?.bodyValues[1]?.value).toBe("text of e2");
  });

  it("asks only for what is new, and lets go of what is too old or gone", async () => {
    const server = new Server();
    server.put(email(1), email(2));
    const [shelf] = await gathered(server);
    server.mail.delete("e1");
    server.put(email(3), email(2, { keywords: { $seen: true } }));
    server.updated.push("e2");
    server.destroyed.push("e1");
    server.asked = [];
    await gather(server, shelf, always, NOW);
    expect((await shelf.ids()).sort()).toEqual(["e2", "e3"]);
    expect(await shelf.row("e2")).toMatchObject({ keywords: { $seen: true } });
    expect(server.asked.filter((name) => name === "Email/query").length).toBe(1);
    await shelf.close();
  });

  it("is filled anew where the server cannot tell what changed", async () => {
    const server = new Server();
    server.put(email(1));
    const [shelf] = await gathered(server);
    server.forgot = true;
    server.put(email(1, { keywords: { $flagged: true } }));
    await gather(server, shelf, always, NOW);
    expect(await shelf.row("e1")).toMatchObject({ keywords: { $flagged: true } });
    await shelf.close();
  });

  it("stops between two requests when there is something better to do", async () => {
    const server = new Server();
    server.put(...Array.from({ length: 50 }, (_, n) => email(n)));
    const shelf = new Shelf("a");
    let left = 1;
    await gather(server, shelf, async () => left-- > 0, NOW);
    expect((await shelf.ids()).length).toBe(20);
    await shelf.close();
  });

  it("is one account's alone", async () => {
    const server = new Server();
    server.put(email(1));
    const [shelf] = await gathered(server);
    const other = new Shelf("b");
    expect(await other.rows()).toEqual([]);
    await Promise.all([shelf.close(), other.close()]);
  });
});

describe("without a connection", () => {
  afterEach(forgetShelf);

  it("a list, its conversations and a text are read from the shelf", async () => {
    const server = new Server();
    server.put(
      email(1),
      email(2, { threadId: "t1" }),
      email(3, { mailboxIds: { archive: true } }),
      email(4),
    );
    const [, transport] = await gathered(server);
    server.away = offline();
    const batch = transport.batch();
    const query = batch.add("Email/query", { ...LIST, collapseThreads: true });
    const rows = batch.add("Email/get", { "#ids": query.ref("/ids"), properties: ["id"] });
    const threads = batch.add("Thread/get", { "#ids": rows.ref("/list/*/threadId") });
    const answers = await transport.send(batch);
    expect(answers.of(query)).toMatchObject({ ids: ["e4", "e2"], total: 2 });
    expect(answers.of(threads).list).toContainEqual({ id: "t1", emailIds: ["e1", "e2"] });
    const more = transport.batch();
    const body = more.add("Email/get", { ids: ["e4"], properties: ["id", "bodyValues"] });
    expect((await transport.send(more)).of(body).list[0]?.bodyValues[1]?.value).toBe("text of e4");
  });

  it.each([
    [{ text: "elodie" }, 3],
    [{ subject: "subject 2" }, 1],
    [{ operator: "NOT" as const, conditions: [{ hasKeyword: "$seen" }] }, 2],
    [{ operator: "OR" as const, conditions: [{ subject: "1" }, { subject: "3" }] }, 2],
  ])("%j is looked for", async (filter, count) => {
    const server = new Server();
    server.put(email(1), email(2, { keywords: { $seen: true } }), email(3));
    const [, transport] = await gathered(server);
    server.away = offline();
    const batch = transport.batch();
    const query = batch.add("Email/query", { ...LIST, filter });
    expect((await transport.send(batch)).of(query).ids.length).toBe(count);
  });

  it("what only the server can answer fails as it did", async () => {
    const server = new Server();
    const [, transport] = await gathered(server);
    server.away = offline();
    const change = transport.batch();
    change.add("Email/set", { update: {} });
    await expect(transport.send(change)).rejects.toBe(server.away);
    const list = transport.batch();
    list.add("Email/query", { ...LIST, filter: { body: "word" } });
    await expect(transport.send(list)).rejects.toBe(server.away);
    const body = transport.batch();
    body.add("Email/get", { ids: ["e9"], properties: ["id", "bodyValues"] });
    await expect(transport.send(body)).rejects.toBe(server.away);
  });

  it("who is signed out reads nothing from the shelf", async () => {
    const server = new Server();
    server.put(email(1));
    const [, transport] = await gathered(server);
    server.away = new RequestError("signedOut", "401");
    const batch = transport.batch();
    batch.add("Email/query", LIST);
    await expect(transport.send(batch)).rejects.toBe(server.away);
  });
});
