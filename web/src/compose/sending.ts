/** Sending: the last version is saved and handed over in one request, waits a moment in which it can be undone,
    and goes. */
import { type Email, type Id, type Identity, MethodError } from "../jmap/index.ts";
import { isAddress, unique } from "./addresses.ts";
import type { Draft } from "./draft.ts";
import { failure, NotSaved, type Server } from "./server.ts";
import { emailOf } from "./wire.ts";

/** Seconds in which sending can be undone; a little more than people are told. */
const HELD = 12;
const SUBMISSION = "urn:ietf:params:jmap:submission";

export interface Sent {
  readonly submissionId: Id;
  readonly emailId: Id;
  readonly threadId: Id;
  /** Whether it can be undone for a moment, or until it is sent later. */
  readonly held: boolean;
}

/** How long a message can wait on this server (seconds), 0: it cannot. */
export function longestDelay(server: Server): number {
  const { session, account } = server.client;
  const found = session.accounts[account]?.accountCapabilities[SUBMISSION];
  return (found as { maxDelayedSend?: number } | undefined)?.maxDelayedSend ?? 0;
}

/** Everybody who gets it; what is no address is answered as well. */
export function recipients(
  draft: Draft,
  identity: Identity | undefined,
): {
  good: readonly string[];
  bad: readonly string[];
} {
  const named = [...draft.to, ...draft.cc, ...draft.bcc];
  const all = unique([...named, ...(identity?.bcc ?? [])]).map(({ email }) => email);
  return { good: all.filter(isAddress), bad: all.filter((one) => !isAddress(one)) };
}

/** `at`: not before. Throws `RequestError`, `MethodError`. */
export async function send(
  server: Server,
  draft: Draft,
  identity: Identity,
  at: Date | undefined,
  names: { drafts: string; sent: string },
): Promise<Sent> {
  const { client, store } = server;
  const drafts = await store.mailboxFor("drafts", names.drafts);
  const to = await store.mailboxFor("sent", names.sent);
  if (!drafts || !to) throw new MethodError("notFound");
  const most = longestDelay(server);
  const wait: Record<string, string> | undefined = at
    ? { HOLDUNTIL: at.toISOString().replace(/\.\d+Z$/, "Z") }
    : most
      ? { HOLDFOR: String(Math.min(HELD, most)) }
      : undefined;
  const mailFrom = { email: identity.email, ...(wait ? { parameters: wait } : {}) };
  const { good } = recipients(draft, identity);
  const batch = client.batch();
  const email = emailOf(draft, identity, drafts.id, true, at ?? new Date());
  const bcc = unique([...draft.bcc, ...(identity.bcc ?? [])]);
  const set = batch.add("Email/set", {
    create: { draft: { ...email, bcc: bcc.length ? bcc : null } },
    destroy: draft.emailId ? [draft.emailId] : [],
  });
  const submit = batch.add("EmailSubmission/set", {
    create: {
      sending: {
        identityId: identity.id,
        emailId: "#draft",
        envelope: { mailFrom, rcptTo: good.map((one) => ({ email: one })) },
      },
    },
    onSuccessUpdateEmail: {
      "#sending": {
        [`mailboxIds/${drafts.id}`]: null,
        [`mailboxIds/${to.id}`]: true,
        "keywords/$draft": null,
        // By which those are found that have not gone yet.
        ...(at ? { "keywords/$scheduled": true } : {}),
      },
    },
  });
  const answers = await client.send(batch);
  const { created, notCreated, destroyed } = answers.of(set);
  const made = created?.draft as Partial<Email> | undefined;
  if (!made?.id) throw new NotSaved(failure(notCreated?.draft), Boolean(destroyed));
  let refused: MethodError | undefined;
  try {
    const submitted = answers.of(submit);
    const one = submitted.created?.sending;
    if (one?.id) {
      const held = Boolean(wait);
      void store.sender.look();
      return { submissionId: one.id, emailId: made.id, threadId: made.threadId ?? "", held };
    }
    refused = failure(submitted.notCreated?.sending);
  } catch (error) {
    if (!(error instanceof MethodError)) throw error;
    refused = error;
  }
  throw new NotSent(made.id, refused);
}

/** The server has it, as a draft, and does not send it. */
export class NotSent extends Error {
  override readonly name = "NotSent";
  readonly emailId: Id;
  readonly type: string;
  /** What the server says, in its words. */
  readonly words: string;
  constructor(emailId: Id, why: MethodError) {
    super(why.type);
    this.emailId = emailId;
    this.type = why.type;
    this.words = why.message === why.type ? "" : why.message;
  }
}

/** Whether a message was handed over that nobody heard of any more: by its `Message-ID`. */
export async function wasSent(server: Server, draft: Draft): Promise<boolean> {
  return (await server.versions(draft)).sent;
}

/** Take it back: it is a draft again. False: it is on its way. Throws `RequestError`. */
export async function unsend(server: Server, sent: Sent): Promise<boolean> {
  const { client, store } = server;
  const drafts = store.mailboxes.role("drafts");
  if (!drafts) return false;
  const batch = client.batch();
  const set = batch.add("EmailSubmission/set", {
    update: { [sent.submissionId]: { undoStatus: "canceled" } },
    onSuccessUpdateEmail: {
      [sent.submissionId]: {
        mailboxIds: { [drafts.id]: true },
        "keywords/$draft": true,
        "keywords/$scheduled": null,
      },
    },
  });
  const answers = await client.send(batch);
  void store.sender.look();
  try {
    const { updated, notUpdated } = answers.of(set);
    return Boolean(updated && sent.submissionId in updated) && !notUpdated?.[sent.submissionId];
  } catch (error) {
    if (error instanceof MethodError) return false;
    throw error;
  }
}
