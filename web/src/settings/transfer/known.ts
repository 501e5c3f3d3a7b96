/** What is in a mailbox already, so that a file that is brought in twice is there once. */
import type { Id, JmapClient } from "../../jmap/index.ts";

/** Messages looked through at most: past that it would take longer than it is worth. */
export const MOST = 30_000;
/** Asked for at a time. */
const TOGETHER = 500;

const latin = new TextDecoder("latin1");

/** The Message-ID of a message, without brackets; "" where it has none. */
export function messageId(octets: Uint8Array): string {
  const head = latin.decode(octets.subarray(0, 32 * 1024)).split("\r\n\r\n", 1)[0] ?? "";
  return /^message-id:[ \t]*(?:\r\n[ \t]+)?<([^<>\s]+)>/im.exec(head)?.[1] ?? "";
}

/** The Message-IDs of a mailbox; none where it has too many. Throws `RequestError`, `MethodError`. */
export async function messageIds(client: JmapClient, mailbox: Id): Promise<Set<string>> {
  const found = new Set<string>();
  for (let position = 0; ; position += TOGETHER) {
    const batch = client.batch();
    const query = batch.add("Email/query", {
      filter: { inMailbox: mailbox },
      position,
      limit: TOGETHER,
      calculateTotal: true,
    });
    const get = batch.add("Email/get", { "#ids": query.ref("/ids"), properties: ["messageId"] });
    const answers = await client.send(batch);
    const { total = 0, ids } = answers.of(query);
    if (total > MOST) return new Set();
    for (const one of answers.of(get).list) for (const id of one.messageId ?? []) found.add(id);
    if (!ids.length || position + ids.length >= total) return found;
  }
}
