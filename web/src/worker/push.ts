/** What a push leads to: the server says only that there is new mail, and is asked what. */

export interface Verification {
  readonly "@type": "PushVerification";
  readonly pushSubscriptionId: string;
  readonly verificationCode: string;
}

export interface Change {
  readonly "@type": "StateChange";
}

/** A notice of one message, or of several together. */
export interface Notice {
  readonly title: string;
  readonly body: string;
  /** One of the same tag takes the place of the one before. */
  readonly tag: string;
  readonly path: string;
}

interface Row {
  readonly id: string;
  readonly subject: string | null;
  readonly from: readonly { readonly name: string | null; readonly email: string }[] | null;
}

const MAIL = "urn:ietf:params:jmap:mail";
/** Notices for as many messages one by one. */
const SINGLE = 3;
const MOST = 20;
/** How old what is told of may be, in milliseconds: a device that was off for a week hears of none of it. */
const FRESH = 12 * 3_600_000;

type Invocation = readonly [string, Readonly<Record<string, unknown>>, string];

async function asked(calls: readonly Invocation[]) {
  const response = await fetch("/jmap/api", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      using: ["urn:ietf:params:jmap:core", MAIL],
      methodCalls: calls,
    }),
  });
  if (!response.ok) throw new Error(`answered with ${response.status}`);
  return ((await response.json()) as { methodResponses: Invocation[] }).methodResponses;
}

/** Say that the code arrived (RFC 8620 §7.2.2). */
export async function confirm(message: Verification): Promise<void> {
  const { pushSubscriptionId, verificationCode } = message;
  await asked([
    ["PushSubscription/set", { update: { [pushSubscriptionId]: { verificationCode } } }, "0"],
  ]);
}

const WORDS = {
  en: { many: (count: number) => `${count} new messages`, new: "New mail", none: "(no subject)" },
  fr: {
    many: (count: number) => `${count} nouveaux messages`,
    new: "Nouveau message",
    none: "(sans objet)",
  },
};

/** Notices of what is new and unread in the inbox. A push without a notice is a promise broken: browsers take
    the right to push away for it. */
export async function newMail(language: string): Promise<Notice[]> {
  const words = language.toLowerCase().startsWith("fr") ? WORDS.fr : WORDS.en;
  try {
    const rows = await unread();
    if (rows.length > SINGLE) {
      const names = [...new Set(rows.map(sender))].join(", ");
      return [{ title: words.many(rows.length), body: names, tag: "mail", path: "/mail" }];
    }
    if (rows.length) {
      return rows.map((row) => ({
        title: sender(row),
        body: row.subject?.trim() || words.none,
        tag: row.id,
        path: `/mail/inbox/${row.id}`,
      }));
    }
  } catch {
    // Signed out, or no connection: there is mail, and that is what is said.
  }
  return [{ title: words.new, body: "Malleposte", tag: "mail", path: "/mail" }];
}

const sender = ({ from }: Row) => from?.[0]?.name || from?.[0]?.email || "";

async function unread(): Promise<Row[]> {
  const session = (await (await fetch("/.well-known/jmap")).json()) as {
    primaryAccounts: Record<string, string>;
  };
  const accountId = session.primaryAccounts[MAIL];
  const [boxes] = await asked([["Mailbox/query", { accountId, filter: { role: "inbox" } }, "0"]]);
  const [inbox] = (boxes?.[1].ids ?? []) as string[];
  const after = `${new Date(Date.now() - FRESH).toISOString().slice(0, 19)}Z`;
  const answers = await asked([
    [
      "Email/query",
      {
        accountId,
        filter: { inMailbox: inbox, notKeyword: "$seen", after },
        sort: [{ property: "receivedAt", isAscending: false }],
        limit: MOST,
      },
      "0",
    ],
    [
      "Email/get",
      {
        accountId,
        "#ids": { resultOf: "0", name: "Email/query", path: "/ids" },
        properties: ["id", "subject", "from"],
      },
      "1",
    ],
  ]);
  const known = await told();
  const rows = ((answers[1]?.[1].list ?? []) as Row[]).filter(({ id }) => !known.has(id));
  await tell([...known, ...rows.map(({ id }) => id)].slice(-200));
  return rows;
}

const NOTED = "/told";

/** Ids that were told of already. */
async function told(): Promise<Set<string>> {
  const kept = await (await caches.open("told")).match(NOTED);
  return new Set(kept ? ((await kept.json()) as string[]) : []);
}

async function tell(ids: readonly string[]): Promise<void> {
  await (await caches.open("told")).put(NOTED, new Response(JSON.stringify(ids)));
}
