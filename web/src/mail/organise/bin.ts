/** Deleting for good: what is in a mailbox and nowhere else is destroyed, what is elsewhere too is only taken out.
    The server keeps it for a while, and gives it back. */
import type { I18n } from "@lingui/core";
import { msg, plural } from "@lingui/core/macro";
import {
  type Id,
  type JmapClient,
  MethodError,
  type Patch,
  RequestError,
  recover,
  SLICE,
  slices,
} from "../../jmap/index.ts";
import type { MailStore } from "../../store/index.ts";
import { toasts } from "../../ui/index.ts";

interface Mail {
  readonly client: JmapClient;
  readonly store: MailStore;
}

export interface Removed {
  readonly count: number;
  /** Some could not be removed. */
  readonly failed: boolean;
  undo(): Promise<void>;
}

/** `told`: how many are gone by now. Throws `RequestError`, `MethodError`. */
export async function remove(
  { client, store }: Mail,
  ids: readonly Id[],
  from: Id,
  told: (count: number) => void = () => {},
): Promise<Removed> {
  const destroyed: Id[] = [];
  const taken: Id[] = [];
  for (const slice of slices(ids)) {
    const look = client.batch();
    const found = look.add("Email/get", { ids: slice, properties: ["id", "mailboxIds"] });
    const { list } = (await client.send(look)).of(found);
    const elsewhere = new Set(
      list.filter(({ mailboxIds }) => Object.keys(mailboxIds).length > 1).map(({ id }) => id),
    );
    const update: Record<Id, Patch> = {};
    for (const id of elsewhere) update[id] = { [`mailboxIds/${from}`]: null };
    const batch = client.batch();
    const destroy = list.map(({ id }) => id).filter((id) => !elsewhere.has(id));
    const set = batch.add("Email/set", { destroy, update });
    const answer = (await client.send(batch)).of(set);
    destroyed.push(...(answer.destroyed ?? []));
    taken.push(...Object.keys(answer.updated ?? {}));
    told(destroyed.length + taken.length);
  }
  await store.sender.look();
  const count = destroyed.length + taken.length;
  return {
    count,
    failed: count < ids.length,
    async undo() {
      await recover(client, destroyed);
      for (const slice of slices(taken)) {
        const update: Record<Id, Patch> = {};
        for (const id of slice) update[id] = { [`mailboxIds/${from}`]: true };
        const batch = client.batch();
        batch.add("Email/set", { update });
        await client.send(batch);
      }
      await store.sender.look();
    },
  };
}

/** All emails of a mailbox, for it to be emptied. Throws `RequestError`, `MethodError`. */
export async function within({ client }: Mail, mailbox: Id): Promise<readonly Id[]> {
  const found: Id[] = [];
  for (;;) {
    const batch = client.batch();
    const query = batch.add("Email/query", {
      filter: { inMailbox: mailbox },
      position: found.length,
      limit: SLICE,
    });
    const { ids } = (await client.send(batch)).of(query);
    found.push(...ids);
    if (ids.length < SLICE) return found;
  }
}

/** Say what became of it, with the way back. */
export async function removed(removal: Promise<Removed>, i18n: I18n): Promise<void> {
  try {
    const done = await removal;
    const { count } = done;
    const words = msg({
      message: plural(count, {
        one: "# message deleted for good",
        other: "# messages deleted for good",
      }),
    });
    const back = () => void done.undo().catch((error: unknown) => refused(error, i18n));
    if (count) toasts.show(i18n._(words), { words: i18n._(msg`Undo`), run: back });
    if (done.failed) refused(new MethodError("serverFail"), i18n);
  } catch (error) {
    refused(error, i18n);
  }
}

function refused(error: unknown, i18n: I18n): void {
  if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
  toasts.show(i18n._(msg`The server could not do this now. Nothing is lost; try again later.`));
}
