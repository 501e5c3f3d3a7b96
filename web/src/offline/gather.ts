/** Brings the shelf up to date: what came in the last thirty days, with its text. Little at a time, since nobody
    waits for it. */
import {
  BODY_PROPERTIES,
  type Email,
  type EmailBody,
  type Id,
  LIST_PROPERTIES,
  MethodError,
  type Transport,
} from "../jmap/index.ts";
import type { Shelf } from "./shelf.ts";

export const DAYS = 30;
/** Messages that are kept at most, the newest. */
export const MOST = 3_000;
const QUERY = 500;
const TOGETHER = 20;
/** Octets of a text that are kept. */
const MOST_BODY = 100 * 1024;
const DAY = 86_400_000;
const CHANGES = 500;

/** One round. `pause`: waits until there is nothing better to do; false: no more of it. Throws `RequestError`. */
export async function gather(
  transport: Transport,
  shelf: Shelf,
  pause: () => Promise<boolean>,
  now = Date.now(),
): Promise<void> {
  // Before it is looked what there is, so that nothing changes between.
  const state = await refresh(transport, shelf);
  const wanted = await recent(transport, now);
  const here = new Set(await shelf.ids());
  const keep = new Set(wanted);
  await shelf.remove([...here].filter((id) => !keep.has(id)));
  if (state) await shelf.setState(state);
  const missing = wanted.filter((id) => !here.has(id));
  for (let at = 0; at < missing.length; at += TOGETHER) {
    if (!(await pause())) return;
    const { rows, bodies } = await fetched(transport, missing.slice(at, at + TOGETHER));
    if (!(await shelf.put(rows, bodies))) return;
  }
}

async function recent(transport: Transport, now: number): Promise<Id[]> {
  const after = `${new Date(now - DAYS * DAY).toISOString().slice(0, 19)}Z`;
  const found: Id[] = [];
  while (found.length < MOST) {
    const batch = transport.batch();
    const query = batch.add("Email/query", {
      filter: { after },
      sort: [{ property: "receivedAt", isAscending: false }],
      collapseThreads: false,
      position: found.length,
      limit: QUERY,
    });
    const { ids } = (await transport.send(batch)).of(query);
    found.push(...ids);
    if (ids.length < QUERY) break;
  }
  return [...new Set(found)].slice(0, MOST);
}

async function fetched(
  transport: Transport,
  ids: readonly Id[],
): Promise<{ rows: Email[]; bodies: EmailBody[] }> {
  const batch = transport.batch();
  const rows = batch.add("Email/get", { ids, properties: LIST_PROPERTIES });
  const bodies = batch.add("Email/get", {
    ids,
    properties: BODY_PROPERTIES,
    fetchHTMLBodyValues: true,
    fetchTextBodyValues: true,
    maxBodyValueBytes: MOST_BODY,
    makeHTMLSafe: true,
  });
  const answers = await transport.send(batch);
  return { rows: [...answers.of(rows).list], bodies: [...answers.of(bodies).list] };
}

/** Rows as they are by now; the state that they are of. */
async function refresh(transport: Transport, shelf: Shelf): Promise<string> {
  let since = await shelf.state();
  try {
    while (since) {
      const batch = transport.batch();
      const changes = batch.add("Email/changes", { sinceState: since, maxChanges: CHANGES });
      const updated = batch.add("Email/get", {
        "#ids": changes.ref("/updated"),
        properties: LIST_PROPERTIES,
      });
      const answers = await transport.send(batch);
      const { newState, hasMoreChanges, destroyed } = answers.of(changes);
      const here = new Set(await shelf.ids());
      const rows = answers.of(updated).list.filter(({ id }) => here.has(id));
      await shelf.put(rows, []);
      await shelf.remove(destroyed);
      since = newState;
      if (!hasMoreChanges) return since;
    }
  } catch (error) {
    if (!(error instanceof MethodError)) throw error;
    // Too much has changed: it is gathered anew.
    await shelf.remove(await shelf.ids());
  }
  const batch = transport.batch();
  const state = batch.add("Email/get", { ids: [], properties: ["id"] });
  return (await transport.send(batch)).of(state).state;
}
