/** Objects that an account has one of, saved over the state that was read and no other. */
import type { JmapClient } from "./client.ts";
import { MethodError } from "./errors.ts";
import type { Filters, VacationResponse } from "./settings.ts";
import type { Patch } from "./types.ts";

interface Singletons {
  VacationResponse: VacationResponse;
  Filters: Filters;
}

export interface Kept<T> {
  readonly state: string;
  readonly one: T;
}

/** Throws `RequestError`, `MethodError`. */
export async function loadOne<K extends keyof Singletons>(
  client: JmapClient,
  kind: K,
): Promise<Kept<Singletons[K]>> {
  const batch = client.batch();
  const call = batch.add(`${kind}/get`, { ids: null });
  const { state, list } = (await client.send(batch)).of(call);
  const one = list[0] as Singletons[K] | undefined;
  if (!one) throw new MethodError("notFound");
  return { state, one };
}

/** Throws `RequestError`, `MethodError`: "stateMismatch" where somebody else saved meanwhile. */
export async function saveOne(
  client: JmapClient,
  kind: keyof Singletons,
  state: string,
  patch: Patch,
): Promise<void> {
  const batch = client.batch();
  const call = batch.add(`${kind}/set`, { ifInState: state, update: { singleton: patch } });
  const { notUpdated } = (await client.send(batch)).of(call);
  const refused = notUpdated?.singleton;
  if (refused) throw new MethodError(refused.type, refused.description);
}
