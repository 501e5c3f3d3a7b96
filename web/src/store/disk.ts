/** What is kept in the browser between two visits, by account: IndexedDB. Where there is none, or it fails,
    nothing is kept and nothing else happens. */
import type { DBSchema } from "idb";
import type { Session } from "../jmap/index.ts";
import { Database, forgotten } from "./keeping.ts";
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
  readonly #database = new Database<Schema>(NAME, "kept");

  constructor(account: string) {
    this.#account = account;
  }

  async read(): Promise<Visit | undefined> {
    const found = await this.#database.try((database) => database.get("kept", this.#account));
    return found?.form === FORM ? found : undefined;
  }

  /** Where it fails the next visit looks everything up. */
  async write(visit: Visit): Promise<void> {
    await this.#database.try((database) =>
      database.put("kept", { ...visit, form: FORM }, this.#account),
    );
  }

  close(): Promise<void> {
    return this.#database.close();
  }
}

/** Forget all that is kept, of every account: nobody is signed in any more. */
export async function forget(): Promise<void> {
  await forgotten(NAME);
}
