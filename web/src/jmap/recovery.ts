/** Emails that were destroyed, brought back. */
import type { JmapClient } from "./client.ts";
import type { Id } from "./types.ts";

/** Emails at a time, so that others' requests pass between. */
export const SLICE = 500;

export function* slices<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += SLICE) yield all.slice(at, at + SLICE);
}

/** Those that are back. Throws `RequestError`, `MethodError`. */
export async function recover(client: JmapClient, ids: readonly Id[]): Promise<readonly Id[]> {
  const back: Id[] = [];
  for (const slice of slices(ids)) {
    const batch = client.batch();
    const call = batch.add("Email/recover", { ids: slice });
    back.push(...(await client.send(batch)).of(call).recovered);
  }
  return back;
}
