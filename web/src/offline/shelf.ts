/** Mail of the last weeks, kept in this browser to be read without a connection: IndexedDB. All of it can be had
    from the server again, so that whatever fails here is no harm. */
import type { DBSchema } from "idb";
import type { Email, EmailBody, Id } from "../jmap/index.ts";
import { Database, forgotten } from "../store/index.ts";

const NAME = "malleposte-shelf";

interface Schema extends DBSchema {
  rows: { key: [account: string, id: Id]; value: Email };
  bodies: { key: [account: string, id: Id]; value: EmailBody };
  /** By account: the state of Email that rows are of. */
  states: { key: string; value: string };
}

export class Shelf {
  readonly #account: string;
  readonly #database = new Database<Schema>(NAME, "rows", "bodies", "states");

  constructor(account: string) {
    this.#account = account;
  }

  /** All rows; none where nothing can be read. */
  async rows(): Promise<Email[]> {
    return (await this.#database.try((database) => database.getAll("rows", this.#all()))) ?? [];
  }

  async row(id: Id): Promise<Email | undefined> {
    return this.#database.try((database) => database.get("rows", [this.#account, id]));
  }

  async body(id: Id): Promise<EmailBody | undefined> {
    return this.#database.try((database) => database.get("bodies", [this.#account, id]));
  }

  /** Ids of what is here with its text. */
  async ids(): Promise<Id[]> {
    const keys = await this.#database.try((database) => database.getAllKeys("bodies", this.#all()));
    return (keys ?? []).map(([, id]) => id);
  }

  async state(): Promise<string> {
    return (await this.#database.try((database) => database.get("states", this.#account))) ?? "";
  }

  async setState(state: string): Promise<void> {
    await this.#database.try((database) => database.put("states", state, this.#account));
  }

  /** Whether it is kept: a disk may be full. */
  async put(rows: readonly Email[], bodies: readonly EmailBody[]): Promise<boolean> {
    const done = await this.#database.try(async (database) => {
      const change = database.transaction(["rows", "bodies"], "readwrite");
      for (const row of rows) void change.objectStore("rows").put(row, [this.#account, row.id]);
      for (const one of bodies) void change.objectStore("bodies").put(one, [this.#account, one.id]);
      await change.done;
      return true;
    });
    return done ?? false;
  }

  async remove(ids: readonly Id[]): Promise<void> {
    if (!ids.length) return;
    await this.#database.try(async (database) => {
      const change = database.transaction(["rows", "bodies"], "readwrite");
      for (const id of ids) {
        void change.objectStore("rows").delete([this.#account, id]);
        void change.objectStore("bodies").delete([this.#account, id]);
      }
      await change.done;
    });
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  #all(): IDBKeyRange {
    return IDBKeyRange.bound([this.#account, ""], [this.#account, "\uffff"]);
  }
}

/** Forget all of it, of every account. */
export async function forgetShelf(): Promise<void> {
  await forgotten(NAME);
}
