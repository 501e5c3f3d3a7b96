/** Drafts that are being written, kept in this browser from one moment to the next: whatever ends the tab, the
    text is there at the next visit. Apart from what is kept of the mail (`disk.ts`): that can be asked for again,
    and a text cannot. */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import { opened } from "./keeping.ts";

const NAME = "malleposte-drafts";
/** After that nobody asks for a text any more. */
const KEPT = 90 * 86_400_000;

/** A draft as it is kept; what it says is its writer's affair. */
export interface Entry<T = unknown> {
  readonly account: string;
  readonly key: string;
  readonly at: number;
  readonly draft: T;
}

interface Schema extends DBSchema {
  drafts: { key: [string, string]; value: Entry };
  /** What is attached and not on the server yet. */
  files: { key: [string, string, string]; value: Blob };
}

export class Journal<T> {
  readonly #account: string;
  readonly #open: Promise<IDBPDatabase<Schema> | undefined>;

  constructor(account: string) {
    this.#account = account;
    this.#open = opened(() =>
      openDB<Schema>(NAME, 1, {
        upgrade(database) {
          database.createObjectStore("drafts");
          database.createObjectStore("files");
        },
        blocking: (_, __, event) => (event.target as IDBDatabase | null)?.close(),
      }),
    );
  }

  /** Whether it is kept. A full disk, or a browser that keeps nothing, is no reason to stop anybody. */
  async put(key: string, draft: T): Promise<boolean> {
    return this.#try(async (database) => {
      const entry = { account: this.#account, key, at: Date.now(), draft };
      await database.put("drafts", entry, [this.#account, key]);
    });
  }

  async putFile(key: string, file: string, content: Blob): Promise<boolean> {
    return this.#try((database) => database.put("files", content, [this.#account, key, file]));
  }

  async file(key: string, file: string): Promise<Blob | undefined> {
    let found: Blob | undefined;
    await this.#try(async (database) => {
      found = await database.get("files", [this.#account, key, file]);
    });
    return found;
  }

  /** Those of this account, the oldest first. */
  async entries(): Promise<Entry<T>[]> {
    let found: Entry<T>[] = [];
    await this.#try(async (database) => {
      const all = (await database.getAll("drafts")) as Entry<T>[];
      const fresh = all.filter(({ at }) => at > Date.now() - KEPT);
      for (const { account, key } of all.filter((one) => !fresh.includes(one))) {
        await remove(database, account, key);
      }
      found = fresh.filter(({ account }) => account === this.#account);
    });
    return found.sort((a, b) => a.at - b.at);
  }

  /** It is on the server, or nobody's any more. */
  async drop(key: string): Promise<void> {
    await this.#try((database) => remove(database, this.#account, key));
  }

  async dropFile(key: string, file: string): Promise<void> {
    await this.#try((database) => database.delete("files", [this.#account, key, file]));
  }

  async close(): Promise<void> {
    (await this.#open)?.close();
  }

  async #try(what: (database: IDBPDatabase<Schema>) => Promise<unknown>): Promise<boolean> {
    try {
      const database = await this.#open;
      if (!database) return false;
      await what(database);
      return true;
    } catch {
      return false;
    }
  }
}

async function remove(database: IDBPDatabase<Schema>, account: string, key: string): Promise<void> {
  const files = IDBKeyRange.bound([account, key, ""], [account, key, "\uffff"]);
  await database.delete("files", files);
  await database.delete("drafts", [account, key]);
}

/** Forget all drafts that are kept here: who wrote them has signed out. */
export async function forgetDrafts(): Promise<void> {
  await deleteDB(NAME).catch(() => undefined);
}
