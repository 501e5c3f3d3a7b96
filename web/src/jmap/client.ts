/** The transport: the session object, and requests of calls. Knows no data. */
import { Answers, Batch, type Invocation } from "./batch.ts";
import { RequestError } from "./errors.ts";
import type { Id, Session } from "./types.ts";

export const CORE = "urn:ietf:params:jmap:core";
export const MAIL = "urn:ietf:params:jmap:mail";
const WEBSOCKET = "urn:ietf:params:jmap:websocket";

/** Octets that a browser sends for a page that is gone; all such requests together have 64 KiB. */
const MOST_KEPT_ALIVE = 30_000;

/** Of `fetch`, what is used here. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** What the store needs of a transport. */
export interface Transport {
  batch(): Batch;
  send(batch: Batch): Promise<Answers>;
}

export class JmapClient implements Transport {
  session: Session;
  readonly account: Id;
  readonly #using: readonly string[];
  readonly #fetch: Fetch;

  private constructor(session: Session, fetch: Fetch) {
    this.session = session;
    this.account = session.primaryAccounts[MAIL] ?? Object.keys(session.accounts)[0] ?? "";
    // All that the account has: which of it a request needs, its methods say.
    const { accountCapabilities = {} } = session.accounts[this.account] ?? {};
    this.#using = [...new Set([CORE, MAIL, ...Object.keys(accountCapabilities)])];
    this.#fetch = fetch;
  }

  /** Asks for the session. Throws `RequestError`. */
  static async connect(fetch: Fetch = (...args) => globalThis.fetch(...args)): Promise<JmapClient> {
    const session = await asked<Session>(fetch, "/.well-known/jmap", { cache: "no-store" });
    return new JmapClient(session, fetch);
  }

  /** By the session of an earlier visit; whoever uses it asks for today's meanwhile. */
  static known(
    session: Session,
    fetch: Fetch = (...args) => globalThis.fetch(...args),
  ): JmapClient {
    return new JmapClient(session, fetch);
  }

  batch(): Batch {
    return new Batch(this.account);
  }

  /** Throws `RequestError`; errors of single calls are in the answers. What changes something arrives even if
      the page is left meanwhile. */
  async send(batch: Batch): Promise<Answers> {
    const body = JSON.stringify({ using: this.#using, methodCalls: batch.calls });
    const changes = batch.calls.some(([name]) => name.endsWith("/set"));
    const done = await asked<{ methodResponses: Invocation[] }>(
      this.#fetch,
      local(this.session.apiUrl),
      {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json" },
        body,
        keepalive: changes && body.length < MOST_KEPT_ALIVE,
      },
    );
    return new Answers(done.methodResponses);
  }

  /** Where a blob is fetched from. */
  download(blob: Id, name: string, type: string, account = this.account): string {
    return filled(local(this.session.downloadUrl), {
      accountId: account,
      blobId: blob,
      name,
      type,
    });
  }

  /** Send a small file; the name of its blob. Throws `RequestError`. */
  async upload(file: Blob, account = this.account): Promise<Id> {
    const to = filled(local(this.session.uploadUrl), { accountId: account });
    const headers = { "Content-Type": file.type || "application/octet-stream" };
    const { blobId } = await asked<{ blobId: Id }>(this.#fetch, to, {
      method: "POST",
      headers,
      body: file,
    });
    return blobId;
  }

  /** Where files are sent to (RFC 8620 §6.1). */
  get uploads(): string {
    return filled(local(this.session.uploadUrl), { accountId: this.account });
  }

  /** Where news comes from (RFC 8620 §7.3). */
  events(types: readonly string[], ping: number): string {
    return filled(local(this.session.eventSourceUrl), {
      types: types.join(","),
      closeafter: "no",
      ping: String(ping),
    });
  }

  /** Where a WebSocket is opened (RFC 8887 §3); undefined where the server has none. */
  get socket(): string | undefined {
    const { url } = (this.session.capabilities[WEBSOCKET] ?? {}) as { url?: string };
    return (
      url && new URL(url.replace(/^wss?:\/\/[^/]+/, ""), location.href).href.replace(/^http/, "ws")
    );
  }
}

/** The path of an address: the policy of the page lets it connect to its own server alone, by whatever name
    that was reached. */
function local(url: string): string {
  return url.replace(/^https?:\/\/[^/]+/, "");
}

/** RFC 6570, level 1. */
export function filled(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(values[name] ?? ""),
  );
}

async function asked<T>(fetch: Fetch, path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    throw new RequestError("offline", "The server cannot be reached");
  }
  if (response.ok) return (await response.json()) as T;
  const wait = Number(response.headers.get("retry-after") ?? 0) || 0;
  const words = `${path} was answered with ${response.status}`;
  if (response.status === 401) throw new RequestError("signedOut", words);
  if (response.status === 429) throw new RequestError("slowDown", words, wait);
  if (response.status >= 500) throw new RequestError("away", words, wait);
  throw new RequestError("refused", `${words}: ${(await response.text()).slice(0, 300)}`);
}
