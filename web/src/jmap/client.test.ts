import { describe, expect, it } from "vitest";
import { filled, JmapClient } from "./client.ts";
import { MethodError, RequestError } from "./errors.ts";

const SESSION = {
  username: "me@example.test",
  accounts: { A1: { name: "me" } },
  primaryAccounts: { "urn:ietf:params:jmap:mail": "A1" },
  capabilities: {},
  apiUrl: "https://mail.example.test/jmap/api",
  downloadUrl: "https://mail.example.test/jmap/download/{accountId}/{blobId}/{name}?type={type}",
  uploadUrl: "",
  eventSourceUrl: "/jmap/events?types={types}&closeafter={closeafter}&ping={ping}",
  state: "1",
};

function server(answers: Record<string, () => Response>) {
  const asked: [string, unknown][] = [];
  const fetch = async (path: string, init?: RequestInit) => {
    asked.push([path, init?.body ? JSON.parse(String(init.body)) : undefined]);
    const answer = answers[path];
    if (!answer) throw new TypeError("no network");
    return answer();
  };
  return { asked, fetch };
}

const json = (content: unknown, status = 200, headers = {}) =>
  new Response(JSON.stringify(content), { status, headers });

async function connected(api: () => Response) {
  const { asked, fetch } = server({
    "/.well-known/jmap": () => json(SESSION),
    "/jmap/api": api,
  });
  return { asked, client: await JmapClient.connect(fetch) };
}

describe("a request", () => {
  it("carries its calls, with references to answers before", async () => {
    const { asked, client } = await connected(() =>
      json({
        methodResponses: [
          ["Email/query", { ids: ["e1"] }, "0"],
          ["Email/get", { list: [{ id: "e1" }] }, "1"],
        ],
      }),
    );
    const batch = client.batch();
    const query = batch.add("Email/query", { filter: null });
    const get = batch.add("Email/get", { "#ids": query.ref("/ids") });
    const answers = await client.send(batch);
    expect(answers.of(query).ids).toEqual(["e1"]);
    expect(answers.of(get).list).toEqual([{ id: "e1" }]);
    expect(asked.at(-1)).toEqual([
      "/jmap/api",
      {
        using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:mail"],
        methodCalls: [
          ["Email/query", { accountId: "A1", filter: null }, "0"],
          [
            "Email/get",
            { accountId: "A1", "#ids": { resultOf: "0", name: "Email/query", path: "/ids" } },
            "1",
          ],
        ],
      },
    ]);
  });

  it("may fail in one call alone", async () => {
    const { client } = await connected(() =>
      json({
        methodResponses: [
          ["error", { type: "cannotCalculateChanges" }, "0"],
          ["Thread/get", { list: [] }, "1"],
        ],
      }),
    );
    const batch = client.batch();
    const changes = batch.add("Email/changes", { sinceState: "1" });
    const get = batch.add("Thread/get", { ids: [] });
    const unanswered = batch.add("Thread/get", { ids: [] });
    const answers = await client.send(batch);
    expect(() => answers.of(changes)).toThrow(MethodError);
    expect(answers.maybe(changes)).toBeUndefined();
    expect(answers.of(get).list).toEqual([]);
    expect(() => answers.of(unanswered)).toThrow(RequestError);
  });

  it.each([
    [() => json({}, 401), "signedOut", 0],
    [() => json({}, 429, { "Retry-After": "7" }), "slowDown", 7],
    [() => json({}, 503, { "Retry-After": "10" }), "away", 10],
    [() => json({ type: "urn:ietf:params:jmap:error:notJSON" }, 400), "refused", 0],
  ])("that fails says of what kind it was: %s", async (answer, trouble, wait) => {
    const { client } = await connected(answer);
    const failed = await client.send(client.batch()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: "RequestError", trouble, wait });
  });

  it("without a network says so", async () => {
    const { fetch } = server({});
    await expect(JmapClient.connect(fetch)).rejects.toMatchObject({ trouble: "offline" });
  });
});

describe("addresses of the session", () => {
  it("are asked of the server that the page came from, with names that cannot leave their place", async () => {
    const { client } = await connected(() => json({}));
    expect(client.download("B1", "../a b?c.txt", "text/plain")).toBe(
      "/jmap/download/A1/B1/..%2Fa%20b%3Fc.txt?type=text%2Fplain",
    );
    expect(client.events(["Email", "Mailbox"], 60)).toBe(
      "/jmap/events?types=Email%2CMailbox&closeafter=no&ping=60",
    );
    expect(filled("/{a}/{b}", { a: "1" })).toBe("/1/");
  });
});
