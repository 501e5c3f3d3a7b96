/** Drafts as they begin: empty, as an answer, or to pass a message on. */
import { msg } from "@lingui/core/macro";
import { fullDate, i18n } from "../i18n/index.ts";
import type { Address, Identity } from "../jmap/index.ts";
import { personName, unique } from "./addresses.ts";
import { clean } from "./clean.ts";
import { htmlOfText, type Node, paragraphs } from "./doc.ts";
import { blank, type Draft } from "./draft.ts";
import { htmlText } from "./htmlText.ts";
import {
  answerSubject,
  answerTo,
  forwardSubject,
  people,
  type Quote,
  threading,
} from "./quoting.ts";
import { docOf } from "./schema.ts";
import type { SourceEmail } from "./server.ts";
import { signed, signedText } from "./signature.ts";
import { attachmentOf } from "./wire.ts";

/** What a new message is to begin with, as a link to an address says it (RFC 6068). */
export interface Wish {
  readonly to?: readonly Address[] | undefined;
  readonly cc?: readonly Address[] | undefined;
  readonly bcc?: readonly Address[] | undefined;
  readonly subject?: string | undefined;
  readonly text?: string | undefined;
}

export function domainOf(identity: Identity | undefined): string {
  return identity?.email.split("@").at(-1) ?? "";
}

/** The blocks of an identity's signature. */
export function signatureOf(identity: Identity | undefined): readonly Node[] {
  if (identity?.htmlSignature.trim()) return docOf(identity.htmlSignature).content ?? [];
  return identity?.textSignature.trim() ? paragraphs(identity.textSignature.trim()) : [];
}

export function signatureText(identity: Identity | undefined): string {
  if (identity?.textSignature.trim()) return identity.textSignature;
  return identity?.htmlSignature ? htmlText(identity.htmlSignature) : "";
}

function withSignature(draft: Draft, identity: Identity | undefined): Draft {
  return {
    ...draft,
    identityId: identity?.id ?? null,
    doc: signed(draft.doc, signatureOf(identity), true),
    text: signedText(draft.text, signatureText(identity), true),
  };
}

export function newMessage(identity: Identity | undefined, rich: boolean, wish: Wish = {}): Draft {
  const text = wish.text ?? "";
  const draft: Draft = {
    ...blank(domainOf(identity)),
    rich,
    to: unique(wish.to ?? []),
    cc: unique(wish.cc ?? []),
    bcc: unique(wish.bcc ?? []),
    subject: wish.subject ?? "",
    text,
    ...(text ? { doc: { type: "doc", content: paragraphs(text) } } : {}),
  };
  return withSignature(draft, identity);
}

/** The identity that a message reached: answers are written as whom it was written to. */
export function reached(
  source: SourceEmail,
  identities: readonly Identity[],
): Identity | undefined {
  const places = [source.to, source.cc, source.from];
  for (const place of places) {
    const named = new Set((place ?? []).map(({ email }) => email.toLowerCase()));
    const found = identities.find(({ email }) => named.has(email.toLowerCase()));
    if (found) return found;
  }
  return identities[0];
}

export function answer(
  source: SourceEmail,
  identities: readonly Identity[],
  rich: boolean,
  all: boolean,
): Draft {
  const identity = reached(source, identities);
  const own = identities.map(({ email }) => email);
  const draft: Draft = {
    ...blank(domainOf(identity)),
    rich,
    mode: "reply",
    source: { id: source.id, threadId: source.threadId },
    ...answerTo(source, own, all),
    subject: answerSubject(source.subject),
    ...threading(source),
    quote: quoteOf(source, "reply"),
  };
  return withSignature(draft, identity);
}

/** With all that is attached, by name: nothing is fetched and sent again. */
export function passOn(source: SourceEmail, identities: readonly Identity[], rich: boolean): Draft {
  const identity = reached(source, identities);
  const { references } = threading(source);
  const draft: Draft = {
    ...blank(domainOf(identity)),
    rich,
    mode: "forward",
    source: { id: source.id, threadId: source.threadId },
    subject: forwardSubject(source.subject),
    references,
    quote: quoteOf(source, "forward"),
    attachments: source.attachments
      .filter(({ blobId }) => blobId)
      .map((part, n) => ({ ...attachmentOf(part, `source-${n}`), origin: part.blobId })),
  };
  return withSignature(draft, identity);
}

export function quoteOf(source: SourceEmail, kind: Quote["kind"]): Quote {
  const value = (type: string, parts: SourceEmail["htmlBody"]) =>
    parts
      .filter((part) => part.type === type && part.partId)
      .map((part) => source.bodyValues[part.partId ?? ""]?.value ?? "");
  const html = source.htmlBody
    .filter((part) => part.partId)
    .map((part) => {
      const text = source.bodyValues[part.partId ?? ""]?.value ?? "";
      return part.type === "text/html"
        ? clean(text, kind === "forward")
        : htmlOfText(text.trimEnd());
    })
    .join("");
  const plain = value("text/plain", source.textBody).join("\n").trim();
  const text = plain || value("text/html", source.htmlBody).map(htmlText).join("\n\n");
  return { kind, intro: kind === "reply" ? wrote(source) : header(source), html, text };
}

function wrote({ sentAt, receivedAt, from }: SourceEmail): string {
  const date = fullDate(sentAt ?? receivedAt);
  const name = from?.[0] ? personName(from[0]) : "";
  if (!name) return i18n._(msg`On ${date} somebody wrote:`);
  return i18n._(msg`On ${date}, ${name} wrote:`);
}

function header({ sentAt, receivedAt, from, to, cc, subject }: SourceEmail): string {
  const date = fullDate(sentAt ?? receivedAt);
  const [author, recipients, copies] = [people(from), people(to), people(cc)];
  const title = subject ?? "";
  return [
    i18n._(msg`---------- Forwarded message ----------`),
    author ? i18n._(msg`From: ${author}`) : "",
    i18n._(msg`Date: ${date}`),
    i18n._(msg`Subject: ${title}`),
    recipients ? i18n._(msg`To: ${recipients}`) : "",
    copies ? i18n._(msg`Cc: ${copies}`) : "",
  ]
    .filter(Boolean)
    .join("\n");
}
