/** Whether anything is kept in this browser beyond the page: not on a device that is somebody else's. */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB, type StoreNames } from "idb";

const PASSING = "malleposte.passing";

/** What a browser keeps for a site; none where there is no browser. */
function kept(): Storage | undefined {
  return (globalThis as { localStorage?: Storage }).localStorage;
}

export function keeps(): boolean {
  return kept()?.getItem(PASSING) !== "1";
}

/** Said when somebody signs in. */
export function keepNothing(passing: boolean): void {
  if (passing) kept()?.setItem(PASSING, "1");
  else kept()?.removeItem(PASSING);
}

/** A database of what is kept for a site. Where there can be none, or it fails, nothing is kept and nothing else
    happens. */
export class Database<S extends DBSchema> {
  readonly #open: Promise<IDBPDatabase<S> | undefined>;

  constructor(name: string, ...stores: StoreNames<S>[]) {
    this.#open = keeps()
      ? openDB<S>(name, 1, {
          upgrade(database) {
            for (const store of stores) database.createObjectStore(store);
          },
          // Another tab forgets everything: this one must not hold it up.
          blocking: (_, __, event) => (event.target as IDBDatabase | null)?.close(),
        }).catch(() => undefined)
      : Promise.resolve(undefined);
  }

  /** What came of it; nothing where it failed: a disk may be full. */
  async try<T>(what: (database: IDBPDatabase<S>) => Promise<T>): Promise<T | undefined> {
    try {
      const database = await this.#open;
      return database && (await what(database));
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    (await this.#open)?.close();
  }
}

/** Forget a database, of every account. */
export async function forgotten(name: string): Promise<void> {
  await deleteDB(name).catch(() => undefined);
}
