/** A draft as the Email that the server keeps and sends (RFC 8621 §4.6), and back. */
import type { Address, Id, Identity, Part } from "../jmap/index.ts";
import { isAddress } from "./addresses.ts";
import { docOfText, htmlOf, type Node, pictures, textOf } from "./doc.ts";
import type { Attachment, Draft, Mode } from "./draft.ts";
import { htmlText } from "./htmlText.ts";
import { quoteHtml, quoteText, splitQuote } from "./quoting.ts";

/** What of a draft no field of mail says; only drafts have it. */
const OWN = "header:X-Malleposte-Draft:asText";

interface Beside {
  readonly mode: Mode;
  readonly identity: Id | null;
  readonly source: [Id, Id] | null;
  /** Where the quotation begins in the plain text, in lines from its end. */
  readonly quoted: number;
}

/** Now, as people here write it (RFC 8620 §1.4: a Date has its own zone). */
export function dateHere(now: Date): string {
  const shift = -now.getTimezoneOffset();
  const local = new Date(now.getTime() + shift * 60_000).toISOString().slice(0, 19);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const size = Math.abs(shift);
  return `${local}${shift < 0 ? "-" : "+"}${two(size / 60)}:${two(size % 60)}`;
}

/** The plain text that is sent. */
export function plainOf(draft: Draft): string {
  const own = draft.rich ? textOf(draft.doc) : draft.text;
  return draft.quote ? `${own.trimEnd()}\n\n${quoteText(draft.quote)}\n` : `${own.trimEnd()}\n`;
}

/** The HTML that is sent. */
export function htmlBody(draft: Draft): string {
  const own = htmlOf(draft.doc);
  const quote = draft.quote ? `<div><br></div>${quoteHtml(draft.quote)}` : "";
  return `<!doctype html><html><head><meta charset="utf-8"></head><body>${own}${quote}</body></html>`;
}

/** Files that go with it: no picture that is no longer in the text. */
export function filesOf(draft: Draft): Attachment[] {
  const shown = draft.rich ? pictures(draft.doc) : new Set<string>();
  return draft.attachments.filter(
    ({ cid }) => !cid || shown.has(cid) || draft.quote?.html.includes(`cid:${cid}`),
  );
}

/** The attachments of `now`, by the names that a saved version has for them: those last as long as it does. */
export function renamed(
  version: Draft,
  blobs: readonly (Id | null)[],
  now: Draft = version,
): readonly Attachment[] {
  const sent = filesOf(version).filter(({ blobId }) => blobId);
  if (sent.length !== blobs.length) return now.attachments;
  const names = new Map(sent.map(({ key }, n) => [key, blobs[n]]));
  return now.attachments.map((one) => ({ ...one, blobId: names.get(one.key) ?? one.blobId }));
}

/** `final`: as it is sent, with nothing that only a draft has. */
export function emailOf(
  draft: Draft,
  identity: Identity | undefined,
  mailbox: Id,
  final: boolean,
  date = new Date(),
): object {
  const text = plainOf(draft);
  const own = draft.rich ? textOf(draft.doc) : draft.text;
  const beside: Beside = {
    mode: draft.mode,
    identity: draft.identityId,
    source: draft.source ? [draft.source.id, draft.source.threadId] : null,
    quoted: draft.quote ? text.split("\n").length - own.trimEnd().split("\n").length : 0,
  };
  const files = filesOf(draft).filter(({ blobId }) => blobId);
  const inline = (one: Attachment) => draft.rich && one.cid;
  return {
    mailboxIds: { [mailbox]: true },
    keywords: { $draft: true, $seen: true },
    messageId: [draft.messageId],
    sentAt: dateHere(date),
    subject: draft.subject,
    from: identity ? [{ name: identity.name || null, email: identity.email }] : null,
    replyTo: identity?.replyTo?.length ? identity.replyTo : null,
    to: sendable(draft.to),
    cc: sendable(draft.cc),
    bcc: sendable(draft.bcc),
    inReplyTo: draft.inReplyTo,
    references: draft.references,
    ...(final ? {} : { [OWN]: JSON.stringify(beside) }),
    bodyValues: {
      text: { value: text },
      ...(draft.rich ? { html: { value: htmlBody(draft) } } : {}),
    },
    textBody: [{ partId: "text", type: "text/plain" }],
    ...(draft.rich ? { htmlBody: [{ partId: "html", type: "text/html" }] } : {}),
    ...(files.length
      ? {
          attachments: files.map((one) => ({
            blobId: one.blobId,
            type: one.type,
            name: one.name,
            disposition: inline(one) ? "inline" : "attachment",
            cid: inline(one) ? one.cid : null,
          })),
        }
      : {}),
  };
}

/** What is no address yet is kept in the browser alone: no header holds it. */
function sendable(all: readonly Address[]): readonly Address[] | null {
  const found = all.filter(({ email }) => isAddress(email));
  return found.length ? found.map(({ name, email }) => ({ name, email })) : null;
}

/** What is asked of a draft that is to be written on. */
export const DRAFT_PROPERTIES = [
  "id",
  "threadId",
  "mailboxIds",
  "keywords",
  "messageId",
  "inReplyTo",
  "references",
  "from",
  "to",
  "cc",
  "bcc",
  "subject",
  "textBody",
  "htmlBody",
  "attachments",
  "bodyValues",
  OWN,
] as const;

export interface DraftEmail {
  readonly id: Id;
  readonly messageId: readonly string[] | null;
  readonly inReplyTo: readonly string[] | null;
  readonly references: readonly string[] | null;
  readonly from: readonly Address[] | null;
  readonly to: readonly Address[] | null;
  readonly cc: readonly Address[] | null;
  readonly bcc: readonly Address[] | null;
  readonly subject: string | null;
  readonly textBody: readonly Part[];
  readonly htmlBody: readonly Part[];
  readonly attachments: readonly Part[];
  readonly bodyValues: Readonly<Record<string, { readonly value: string }>>;
  readonly [OWN]?: string | null;
}

/** Of HTML, what the editor holds; and what may be sent on. They need a document, and come from there. */
export interface Reading {
  docOf(html: string): Node;
  clean(html: string): string;
}

/** A draft of the server, to be written on; `key` and the rest of `start` where that says nothing. */
export function draftOf(email: DraftEmail, start: Draft, read: Reading): Draft {
  const beside = besideOf(email[OWN]);
  const value = (parts: readonly Part[], type: string) =>
    parts
      .filter((part) => part.type === type)
      .map((part) => email.bodyValues[part.partId ?? ""]?.value ?? "")
      .join("\n");
  const html = value(email.htmlBody, "text/html");
  const text = value(email.textBody, "text/plain");
  const { own, quote } = splitQuote(html);
  const attachments = email.attachments.map((part, n) => attachmentOf(part, `${email.id}-${n}`));
  const found: Draft = {
    ...start,
    emailId: email.id,
    messageId: email.messageId?.[0] ?? start.messageId,
    mode: beside?.mode ?? "new",
    identityId: beside?.identity ?? start.identityId,
    source: beside?.source ? { id: beside.source[0], threadId: beside.source[1] } : null,
    to: email.to ?? [],
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    subject: email.subject ?? "",
    inReplyTo: email.inReplyTo,
    references: email.references,
    attachments,
  };
  const rows = text.trimEnd().split("\n");
  if (!html) {
    // A text has no marks: its quotation is a part of it like any other.
    return { ...found, rich: false, text: text.trimEnd(), doc: docOfText(text.trimEnd()) };
  }
  const doc = read.docOf(own);
  if (!quote) return { ...found, rich: true, doc, text: text.trimEnd() };
  const clean = read.clean(quote);
  const { intro, body } = parted(clean);
  const plain = beside?.quoted ? rows.slice(-Math.max(1, beside.quoted - 2)).join("\n") : "";
  return {
    ...found,
    rich: true,
    doc,
    quote: {
      kind: beside?.mode === "forward" ? "forward" : "reply",
      intro,
      html: body,
      text: unquoted(plain, intro) || htmlText(body),
    },
  };
}

/** The words above a quotation, and what is quoted, of HTML that `quoteHtml` made. */
function parted(html: string): { intro: string; body: string } {
  const end = html.indexOf("</div>");
  const intro = htmlText(html.slice(0, Math.max(0, end)));
  const rest = html.slice(end < 0 ? 0 : end + 6).replace(/^<br>/, "");
  const quoted = /^<blockquote[^>]*>([\s\S]*)<\/blockquote>\s*$/.exec(rest);
  return { intro, body: quoted?.[1] ?? rest };
}

function unquoted(plain: string, intro: string): string {
  const rows = plain.split("\n");
  const from = rows.findIndex((row) => row.trim() === intro.split("\n").at(-1)?.trim());
  if (from < 0) return "";
  return rows
    .slice(from + 1)
    .map((row) => row.replace(/^>( |$)/, "").replace(/^>(?=>)/, ""))
    .join("\n")
    .trim();
}

export function attachmentOf(part: Part, key: string): Attachment {
  const { name, type, size, blobId, cid, disposition } = part;
  return {
    key,
    name: name ?? "",
    type,
    size,
    blobId,
    cid: disposition === "inline" || type.startsWith("image/") ? cid : null,
  };
}

function besideOf(text: string | null | undefined): Beside | undefined {
  try {
    const found: unknown = JSON.parse(text ?? "");
    return found && typeof found === "object" && "mode" in found ? (found as Beside) : undefined;
  } catch {
    return undefined;
  }
}
