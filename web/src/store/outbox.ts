/** What was done and did not reach the server yet, kept from one visit to the next. Each tab has a list of its own;
    those of tabs that are gone are taken over by the next that opens. */
import type { DBSchema } from "idb";
import type { Id, Patch } from "../jmap/index.ts";
import { Database, forgotten } from "./keeping.ts";

const NAME = "malleposte-outbox";

/** Changes of emails that go together. */
export type Patches = Readonly<Record<Id, Patch>>;

interface Schema extends DBSchema {
  waiting: { key: [account: string, tab: string]; value: readonly Patches[] };
}

const lockOf = (tab: string) => `${NAME} ${tab}`;

export class Outbox {
  readonly #account: string;
  readonly #tab = crypto.randomUUID();
  readonly #database = new Database<Schema>(NAME, "waiting");
  #free: (() => void) | undefined;

  constructor(account: string) {
    this.#account = account;
    // Held as long as this tab is there, however it ends.
    void navigator.locks?.request(
      lockOf(this.#tab),
      () =>
        new Promise<void>((free) => {
          this.#free = free;
        }),
    );
  }

  /** Keep what waits now in place of what waited before. */
  async write(waiting: readonly Patches[]): Promise<void> {
    await this.#database.try(async (database) => {
      const key: [string, string] = [this.#account, this.#tab];
      if (waiting.length) await database.put("waiting", waiting, key);
      else await database.delete("waiting", key);
    });
  }

  /** What tabs left that are gone; from now on it is this one's, which must `write` it. */
  async inherit(): Promise<Patches[]> {
    const found: Patches[] = [];
    await this.#database.try(async (database) => {
      const all = IDBKeyRange.bound([this.#account, ""], [this.#account, "\uffff"]);
      for (const key of await database.getAllKeys("waiting", all)) {
        const [, tab] = key;
        if (tab === this.#tab) continue;
        await navigator.locks?.request(lockOf(tab), { ifAvailable: true }, async (gone) => {
          if (!gone) return;
          found.push(...((await database.get("waiting", key)) ?? []));
          await database.delete("waiting", key);
        });
      }
    });
    return found;
  }

  close(): Promise<void> {
    this.#free?.();
    return this.#database.close();
  }
}

/** Forget what waits here: who did it has signed out. */
export async function forgetOutbox(): Promise<void> {
  await forgotten(NAME);
}
