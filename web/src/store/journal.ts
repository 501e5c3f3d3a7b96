/** Drafts that are being written, kept in this browser from one moment to the next: whatever ends the tab, the
    text is there at the next visit. Apart from what is kept of the mail (`disk.ts`): that can be asked for again,
    and a text cannot. */
import type { DBSchema, IDBPDatabase } from "idb";
import { Database, forgotten } from "./keeping.ts";

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
  readonly #database = new Database<Schema>(NAME, "drafts", "files");

  constructor(account: string) {
    this.#account = account;
  }

  /** Whether it is kept. A full disk, or a browser that keeps nothing, is no reason to stop anybody. */
  async put(key: string, draft: T): Promise<boolean> {
    return this.#done(async (database) => {
      const entry = { account: this.#account, key, at: Date.now(), draft };
      await database.put("drafts", entry, [this.#account, key]);
    });
  }

  async putFile(key: string, file: string, content: Blob): Promise<boolean> {
    return this.#done((database) => database.put("files", content, [this.#account, key, file]));
  }

  file(key: string, file: string): Promise<Blob | undefined> {
    return this.#database.try((database) => database.get("files", [this.#account, key, file]));
  }

  /** Those of this account, the oldest first. */
  async entries(): Promise<Entry<T>[]> {
    const found = await this.#database.try(async (database) => {
      const all = (await database.getAll("drafts")) as Entry<T>[];
      const fresh = all.filter(({ at }) => at > Date.now() - KEPT);
      for (const { account, key } of all.filter((one) => !fresh.includes(one))) {
        await remove(database, account, key);
      }
      return fresh.filter(({ account }) => account === this.#account);
    });
    return (found ?? []).sort((a, b) => a.at - b.at);
  }

  /** It is on the server, or nobody's any more. */
  async drop(key: string): Promise<void> {
    await this.#done((database) => remove(database, this.#account, key));
  }

  async dropFile(key: string, file: string): Promise<void> {
    await this.#done((database) => database.delete("files", [this.#account, key, file]));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #done(what: (database: IDBPDatabase<Schema>) => Promise<unknown>): Promise<boolean> {
    const done = await this.#database.try(async (database) => {
      await what(database);
      return true;
    });
    return done ?? false;
  }
}

async function remove(database: IDBPDatabase<Schema>, account: string, key: string): Promise<void> {
  const files = IDBKeyRange.bound([account, key, ""], [account, key, "\uffff"]);
  await database.delete("files", files);
  await database.delete("drafts", [account, key]);
}

/** Forget all drafts that are kept here: who wrote them has signed out. */
export async function forgetDrafts(): Promise<void> {
  await forgotten(NAME);
}
