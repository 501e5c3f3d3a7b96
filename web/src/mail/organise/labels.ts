/** Labels of who is signed in: keywords that have a name and a colour. */
import { useMemo, useSyncExternalStore } from "react";
import { type Id, type MailLabel, MethodError } from "../../jmap/index.ts";
import { Signal } from "../../store/index.ts";
import { type MailSession, useMail } from "../session.ts";

const NONE: readonly MailLabel[] = [];

class Labels extends Signal {
  all = NONE;
  readonly #mail: MailSession;

  constructor(mail: MailSession) {
    super();
    this.#mail = mail;
  }

  /** Throws `RequestError`, `MethodError`. */
  async load(): Promise<void> {
    const batch = this.#mail.client.batch();
    const call = batch.add("Label/get", { ids: null });
    const { list } = (await this.#mail.client.send(batch)).of(call);
    this.all = [...list].sort((a, b) => a.sortOrder - b.sortOrder || a.name.localeCompare(b.name));
    this.tell();
  }

  /** The id of one that is made; `id`: that of one that was there. Throws `RequestError`, `MethodError`. */
  async create(name: string, colour: string, id?: Id): Promise<Id> {
    const made = { name, colour, ...(id ? { id } : {}) };
    const answer = await this.#set({ create: { new: made } });
    return id ?? answer.created?.new?.id ?? "";
  }

  /** Throws `RequestError`, `MethodError`. */
  async change(id: Id, properties: Partial<MailLabel>): Promise<void> {
    await this.#set({ update: { [id]: properties } });
  }

  /** Throws `RequestError`, `MethodError`. */
  async remove(id: Id): Promise<void> {
    await this.#set({ destroy: [id] });
  }

  async #set(change: object) {
    const batch = this.#mail.client.batch();
    const call = batch.add("Label/set", change);
    const answer = (await this.#mail.client.send(batch)).of(call);
    for (const refused of [answer.notCreated, answer.notUpdated, answer.notDestroyed]) {
      const [error] = Object.values(refused ?? {});
      if (error) throw new MethodError(error.type, error.description);
    }
    await this.load();
    return answer;
  }
}

const known = new WeakMap<MailSession, Labels>();

function labelsOf(mail: MailSession): Labels {
  let found = known.get(mail);
  if (!found) {
    found = new Labels(mail);
    known.set(mail, found);
    // Without them mail is as readable.
    found.load().catch(() => {});
  }
  return found;
}

export function useLabels(): Labels {
  const mail = useMail();
  const labels = labelsOf(mail);
  useSyncExternalStore(labels.subscribe, () => labels.all);
  return labels;
}

/** Those that a message has. */
export function useLabelsOf(keywords: Readonly<Record<string, true>>): readonly MailLabel[] {
  const { all } = useLabels();
  return useMemo(() => {
    const found = all.filter(({ id }) => keywords[id]);
    return found.length ? found : NONE;
  }, [all, keywords]);
}
