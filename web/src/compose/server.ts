/** What compose asks of the server. */
import type { Address, Email, Id, Identity, JmapClient, Part } from "../jmap/index.ts";
import { MethodError } from "../jmap/index.ts";
import type { MailStore } from "../store/index.ts";
import type { Draft } from "./draft.ts";
import type { Source } from "./quoting.ts";
import { DRAFT_PROPERTIES, type DraftEmail, emailOf } from "./wire.ts";

/** Octets of a body that is quoted at most. */
const MOST_QUOTED = 500_000;
/** Drafts that are looked through for another version of one. */
const MOST_DRAFTS = 100;
const IDENTITIES_KNOWN = 60_000;

export interface SourceEmail extends Source {
  readonly id: Id;
  readonly threadId: Id;
  readonly receivedAt: string;
  readonly sentAt: string | null;
  readonly htmlBody: readonly Part[];
  readonly textBody: readonly Part[];
  readonly attachments: readonly Part[];
  readonly bodyValues: Readonly<Record<string, { readonly value: string }>>;
}

const SOURCE_PROPERTIES = [
  "id",
  "threadId",
  "from",
  "to",
  "cc",
  "replyTo",
  "subject",
  "messageId",
  "references",
  "sentAt",
  "receivedAt",
  "htmlBody",
  "textBody",
  "attachments",
  "bodyValues",
  "header:List-Post:asURLs",
  "header:Mail-Followup-To:asAddresses",
];

export interface Saved {
  readonly emailId: Id;
  /** The version before was not there any more: another device has saved, or it was sent or deleted. */
  readonly lost: boolean;
  /** Files by the names that the new version has for them, in their order. */
  readonly blobs: readonly (Id | null)[];
}

export interface Envelope {
  readonly mailFrom: { email: string; parameters?: Readonly<Record<string, string>> };
  readonly rcptTo: readonly { email: string }[];
}

export class Server {
  readonly client: JmapClient;
  readonly store: MailStore;
  #identities: Promise<readonly Identity[]> | undefined;

  constructor(client: JmapClient, store: MailStore) {
    this.client = client;
    this.store = store;
  }

  /** Those that one may write as, one's own address first. */
  identities(): Promise<readonly Identity[]> {
    if (!this.#identities) {
      this.#identities = this.#askIdentities();
      this.#identities.catch(() => {
        this.#identities = undefined;
      });
      setTimeout(() => {
        this.#identities = undefined;
      }, IDENTITIES_KNOWN);
    }
    return this.#identities;
  }

  async #askIdentities(): Promise<readonly Identity[]> {
    const batch = this.client.batch();
    const get = batch.add("Identity/get", { ids: null });
    const { list } = (await this.client.send(batch)).of(get);
    const own = (one: Identity) => Number(one.email !== this.client.session.username);
    return [...list].sort((a, b) => own(a) - own(b) || a.email.localeCompare(b.email));
  }

  async source(id: Id): Promise<SourceEmail | undefined> {
    const batch = this.client.batch();
    const get = batch.add("Email/get", {
      ids: [id],
      properties: SOURCE_PROPERTIES,
      fetchHTMLBodyValues: true,
      fetchTextBodyValues: true,
      maxBodyValueBytes: MOST_QUOTED,
    });
    const [found] = (await this.client.send(batch)).of(get).list as unknown as (SourceEmail &
      Record<string, unknown>)[];
    return found
      ? {
          ...found,
          listPost: (found["header:List-Post:asURLs"] as string[] | null) ?? null,
          followUp: (found["header:Mail-Followup-To:asAddresses"] as Address[] | null) ?? null,
        }
      : undefined;
  }

  async draft(id: Id): Promise<DraftEmail | undefined> {
    return (await this.#drafts([id]))[0];
  }

  async #drafts(ids: readonly Id[]): Promise<DraftEmail[]> {
    const batch = this.client.batch();
    const get = batch.add("Email/get", {
      ids,
      properties: DRAFT_PROPERTIES,
      fetchHTMLBodyValues: true,
      fetchTextBodyValues: true,
    });
    return (await this.client.send(batch)).of(get).list as unknown as DraftEmail[];
  }

  /** Save a version and take away the one before, in one step. Throws `RequestError`, `MethodError`. */
  async save(draft: Draft, identity: Identity | undefined, mailbox: Id): Promise<Saved> {
    const batch = this.client.batch();
    const set = batch.add("Email/set", {
      create: { draft: emailOf(draft, identity, mailbox, false) },
      destroy: draft.emailId ? [draft.emailId] : [],
    });
    const answer = (await this.client.send(batch)).of(set);
    const made = answer.created?.draft;
    if (!made?.id) throw new NotSaved(failure(answer.notCreated?.draft), Boolean(answer.destroyed));
    const blobs = draft.attachments.length ? await this.blobs(made.id) : [];
    return { emailId: made.id, lost: Boolean(answer.notDestroyed), blobs };
  }

  /** Names of what is attached to an email, in its order. */
  async blobs(id: Id): Promise<readonly (Id | null)[]> {
    const batch = this.client.batch();
    const get = batch.add("Email/get", { ids: [id], properties: ["attachments"] });
    const [found] = (await this.client.send(batch)).of(get).list;
    return (found?.attachments ?? []).map(({ blobId }) => blobId);
  }

  /** Other versions of a draft that are saved, and whether it was sent. */
  async versions(
    draft: Pick<Draft, "messageId" | "emailId">,
  ): Promise<{ drafts: DraftEmail[]; sent: boolean }> {
    const { store } = this;
    const places = [store.mailboxes.role("drafts"), store.mailboxes.role("sent")];
    const batch = this.client.batch();
    const calls = places.map((mailbox) => {
      if (!mailbox) return undefined;
      const query = batch.add("Email/query", {
        filter: { inMailbox: mailbox.id },
        sort: [{ property: "receivedAt", isAscending: false }],
        limit: MOST_DRAFTS,
      });
      return batch.add("Email/get", {
        "#ids": query.ref("/ids"),
        properties: ["id", "messageId", "keywords"],
      });
    });
    const answers = await this.client.send(batch);
    const same = calls.map((call) =>
      (call ? answers.of(call).list : []).filter(
        (one) => one.messageId?.[0] === draft.messageId && one.id !== draft.emailId,
      ),
    );
    const ids = (same[0] ?? []).filter((one) => one.keywords.$draft).map((one) => one.id);
    const sent = (same[1] ?? []).some((one) => !one.keywords.$draft);
    return { drafts: ids.length ? await this.#drafts(ids) : [], sent };
  }

  async destroy(ids: readonly Id[]): Promise<void> {
    if (!ids.length) return;
    const batch = this.client.batch();
    batch.add("Email/set", { destroy: ids });
    await this.client.send(batch);
  }

  /** Mark what was answered or passed on. */
  mark(email: Email | undefined, keyword: "$answered" | "$forwarded", on: boolean): void {
    if (email) this.store.act({ kind: "keyword", keyword, on }, [email.id]);
  }
}

/** The server took no new version. */
export class NotSaved extends Error {
  override readonly name = "NotSaved";
  readonly type: string;
  /** Whether the version before went all the same: of the two, each is done or not by itself. */
  readonly gone: boolean;
  constructor(why: MethodError, gone: boolean) {
    super(why.message);
    this.type = why.type;
    this.gone = gone;
  }
}

export function failure(error: { type: string; description?: string } | undefined): MethodError {
  return new MethodError(error?.type ?? "serverFail", error?.description);
}
