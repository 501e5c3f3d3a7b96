/** What is kept in the browser between two visits, by account: IndexedDB. Where there is none, or it fails,
    nothing is kept and nothing else happens. */
import { type DBSchema, deleteDB, type IDBPDatabase, openDB } from "idb";
import type { Session } from "../jmap/index.ts";
import { opened } from "./keeping.ts";
import type { Kept } from "./mail.ts";

const NAME = "malleposte";
/** Of the form of what is kept; what has another form is as nothing. */
const FORM = 2;

/** What a visit begins with before the server is asked. */
export interface Visit {
  readonly session: Session;
  readonly kept: Kept;
}

interface Schema extends DBSchema {
  kept: { key: string; value: Visit & { readonly form: number } };
}

export class Disk {
  readonly #account: string;
  readonly #open: Promise<IDBPDatabase<Schema> | undefined>;

  constructor(account: string) {
    this.#account = account;
    this.#open = opened(() =>
      openDB<Schema>(NAME, 1, {
        upgrade: (database) => void database.createObjectStore("kept"),
        // Another tab forgets everything: this one must not hold it up.
        blocking: (_, __, event) => (event.target as IDBDatabase | null)?.close(),
      }),
    );
  }

  async read(): Promise<Visit | undefined> {
    try {
      const found = await (await this.#open)?.get("kept", this.#account);
      return found?.form === FORM ? found : undefined;
    } catch {
      return undefined;
    }
  }

  async write(visit: Visit): Promise<void> {
    try {
      await (await this.#open)?.put("kept", { ...visit, form: FORM }, this.#account);
    } catch {
      // A full disk, or a browser that keeps nothing: the next visit looks everything up.
    }
  }

  async close(): Promise<void> {
    (await this.#open)?.close();
  }
}

/** Forget all that is kept, of every account: nobody is signed in any more. */
export async function forget(): Promise<void> {
  await deleteDB(NAME).catch(() => undefined);
}
