/** A message that is being written, as data: what is kept in the browser, and saved and sent. */
import type { Address, Id } from "../jmap/index.ts";
import { unique } from "./addresses.ts";
import { EMPTY, isEmpty, type Node, paragraphs, textOf } from "./doc.ts";
import type { Quote } from "./quoting.ts";
import { unsigned, unsignedText } from "./signature.ts";

export type Mode = "new" | "reply" | "forward";

export interface Attachment {
  /** Within its draft. */
  readonly key: string;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  /** On the server; null while it is not there yet. */
  readonly blobId: Id | null;
  /** Of a picture within the text. */
  readonly cid: string | null;
  /** Of what is passed on: its name in the message it came with, which stays. */
  readonly origin?: Id | null;
}

export interface Draft {
  /** The same in all tabs, and as long as it is written on. */
  readonly key: string;
  /** `Message-ID`, without its domain's owner ever changing: by it all versions of one draft are known. */
  readonly messageId: string;
  /** On the server, the version that was saved last. */
  readonly emailId: Id | null;
  readonly mode: Mode;
  /** What is answered or passed on. */
  readonly source: { readonly id: Id; readonly threadId: Id } | null;
  readonly identityId: Id | null;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly subject: string;
  /** Whether `doc` is what is written, else `text`. */
  readonly rich: boolean;
  readonly doc: Node;
  readonly text: string;
  readonly quote: Quote | null;
  readonly attachments: readonly Attachment[];
  readonly inReplyTo: readonly string[] | null;
  readonly references: readonly string[] | null;
}

/** `domain`: of the address that one writes from. */
export function blank(domain: string): Draft {
  return {
    key: crypto.randomUUID(),
    messageId: `${crypto.randomUUID()}@${domain || "localhost"}`,
    emailId: null,
    mode: "new",
    source: null,
    identityId: null,
    to: [],
    cc: [],
    bcc: [],
    subject: "",
    rich: true,
    doc: EMPTY,
    text: "",
    quote: null,
    attachments: [],
    inReplyTo: null,
    references: null,
  };
}

/** What was written, as text, without signature and quotation. */
export function ownText(draft: Draft): string {
  const text = draft.rich ? textOf(unsigned(draft.doc)) : unsignedText(draft.text);
  return text.replace(/[ \t]+$/gm, "").trim();
}

/** Whether there is nothing that anybody would miss. */
export function isBlank(draft: Draft): boolean {
  const written = draft.rich ? !isEmpty(draft.doc) : Boolean(unsignedText(draft.text).trim());
  if (written || draft.attachments.length) return false;
  return draft.mode !== "new" || !(draft.subject.trim() || draft.to.length + draft.cc.length);
}

/** Two versions of one draft, written on two devices: one that holds the text of both. `says`: what stands
    between two texts of which neither holds the other. */
export function merged(ours: Draft, theirs: Draft, says: string): Draft {
  const found: Draft = {
    ...ours,
    to: unique([...ours.to, ...theirs.to]),
    cc: unique([...ours.cc, ...theirs.cc]),
    bcc: unique([...ours.bcc, ...theirs.bcc]),
    subject: ours.subject.trim() ? ours.subject : theirs.subject,
    quote: ours.quote ?? theirs.quote,
    attachments: joined(ours.attachments, theirs.attachments),
  };
  const [own, other] = [ownText(ours), ownText(theirs)];
  if (own.includes(other)) return found;
  if (other.includes(own)) {
    return { ...found, rich: theirs.rich, doc: theirs.doc, text: theirs.text };
  }
  if (!ours.rich) return { ...found, text: `${ours.text}\n\n${says}\n\n${other}` };
  const more = theirs.rich ? (unsigned(theirs.doc).content ?? []) : paragraphs(other);
  const content = [...(ours.doc.content ?? []), { type: "paragraph" }, ...paragraphs(says)];
  return { ...found, doc: { type: "doc", content: [...content, { type: "paragraph" }, ...more] } };
}

const alike = (a: Attachment, b: Attachment) =>
  a.name === b.name && a.size === b.size && a.type === b.type && a.cid === b.cid;

function joined(ours: readonly Attachment[], theirs: readonly Attachment[]): Attachment[] {
  const more = theirs.filter((one) => !ours.some((known) => alike(known, one)));
  // What was there of the same file is on the server by the other's name.
  const own = ours.map((one) => {
    const same = theirs.find((other) => alike(one, other));
    return same?.blobId ? { ...one, blobId: same.blobId } : one;
  });
  return [...own, ...more];
}

/** Octets of all attachments, as they are on one's own disk. */
export function weight(draft: Draft): number {
  return draft.attachments.reduce((sum, { size }) => sum + size, 0);
}
