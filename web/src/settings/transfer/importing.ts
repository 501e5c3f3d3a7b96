/** Files of mail, brought in: each message is sent, and filed together with others. */
import { type Id, type JmapClient, RequestError } from "../../jmap/index.ts";
import { messageId, messageIds } from "./known.ts";
import { type Found, keywordsOf, messagesOf } from "./mbox.ts";

/** Messages filed by one request. */
const TOGETHER = 20;
/** Messages that are sent at a time. */
const AT_ONCE = 4;
const MOST_NAMED = 200;

export interface Progress {
  /** Octets read and in all. */
  readonly read: number;
  readonly size: number;
  readonly imported: number;
  /** There already: the server has them. */
  readonly there: number;
  readonly failed: number;
  /** Files and messages that were not taken, and why. */
  readonly failures: readonly { readonly what: string; readonly why: string }[];
}

interface Sent {
  readonly what: string;
  readonly blobId: Id;
  readonly message: Found;
}

/** Bring files into a mailbox. `told` of each step; ends early where `stop` is aborted. Throws `RequestError`
    where the server cannot go on. */
export async function bring(
  client: JmapClient,
  files: readonly File[],
  mailbox: Id,
  told: (progress: Progress) => void,
  stop: AbortSignal,
): Promise<void> {
  const size = files.reduce((sum, file) => sum + file.size, 0);
  let now: Progress = { read: 0, size, imported: 0, there: 0, failed: 0, failures: [] };
  const say = (some: Partial<Progress>) => {
    now = { ...now, ...some };
    told(now);
  };
  const failed = (what: string, why: string) =>
    say({
      failed: now.failed + 1,
      failures: now.failures.length < MOST_NAMED ? [...now.failures, { what, why }] : now.failures,
    });

  async function send(what: string, message: Found): Promise<Sent | undefined> {
    const response = await fetch(client.uploads, {
      method: "POST",
      body: message.octets,
      headers: { "Content-Type": "message/rfc822" },
      signal: stop,
    });
    if (response.ok) {
      const { blobId } = (await response.json()) as { blobId: Id };
      return { what, blobId, message };
    }
    if (response.status === 401) throw new RequestError("signedOut", "signed out");
    if (response.status === 507) throw new RequestError("refused", "no room");
    if (response.status >= 500 || response.status === 429) throw new RequestError("away", "away");
    failed(what, response.status === 413 ? "too large" : String(response.status));
    return undefined;
  }

  async function file(some: readonly Sent[]): Promise<void> {
    if (!some.length) return;
    const emails = Object.fromEntries(
      some.map(({ blobId, message }, n) => [
        `m${n}`,
        {
          blobId,
          mailboxIds: { [mailbox]: true },
          keywords: Object.fromEntries(message.keywords.map((one) => [one, true])),
          ...(message.receivedAt ? { receivedAt: message.receivedAt } : {}),
        },
      ]),
    );
    const batch = client.batch();
    const call = batch.add("Email/import", { emails });
    const { created, notCreated } = (await client.send(batch)).of(call);
    let there = 0;
    for (const [id, error] of Object.entries(notCreated ?? {})) {
      const sent = some[Number(id.slice(1))];
      if (error.type === "alreadyExists") there++;
      else failed(sent?.what ?? id, error.description || error.type);
    }
    say({
      imported: now.imported + Object.keys(created ?? {}).length,
      there: now.there + there,
    });
  }

  const known = await messageIds(client, mailbox);
  /** Whether it was there before, or came with this file already. */
  function isKnown(message: Found): boolean {
    const id = messageId(message.octets);
    if (!id) return false;
    if (known.has(id)) return true;
    known.add(id);
    return false;
  }

  for (const one of files) {
    let n = 0;
    let waiting: Promise<Sent | undefined>[] = [];
    let sent: Sent[] = [];
    const settle = async (all: boolean) => {
      sent.push(...(await Promise.all(waiting)).filter((found) => found !== undefined));
      waiting = [];
      if (sent.length < TOGETHER && !all) return;
      const some = sent;
      sent = [];
      await file(some);
    };
    try {
      for await (const message of parts(one, (octets) => say({ read: now.read + octets }))) {
        if (stop.aborted) return;
        n++;
        if (isKnown(message)) {
          say({ there: now.there + 1 });
          continue;
        }
        waiting.push(send(isBox(one) ? `${one.name}, ${n}` : one.name, message));
        if (waiting.length >= AT_ONCE) await settle(false);
      }
      await settle(true);
    } catch (error) {
      if (stop.aborted) return;
      if (!(error instanceof Error) || error instanceof RequestError) throw error;
      if (error.name === "TypeError") throw new RequestError("offline", "offline");
      await settle(true);
      failed(one.name, error.message);
    }
  }
}

const isBox = (file: File) => !/\.eml$/i.test(file.name);

/** The messages of a file: those of an mbox, or one alone. */
async function* parts(file: File, read: (octets: number) => void): AsyncGenerator<Found> {
  async function* pieces() {
    const reader = file.stream().getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        read(next.value.length);
        yield next.value;
      }
    } finally {
      void reader.cancel();
    }
  }
  if (isBox(file)) {
    yield* messagesOf(pieces());
    return;
  }
  const octets = new Uint8Array(await file.arrayBuffer());
  read(octets.length);
  yield { octets, receivedAt: undefined, keywords: keywordsOf(octets) };
}
