/** Answering and passing on: to whom, under which subject, and with what of the message before. Pure. */
import type { Address } from "../jmap/index.ts";
import { isAddress, unique, without, written } from "./addresses.ts";
import { escaped, QUOTE, quoted } from "./doc.ts";

/** What is known of the message that is answered or passed on. */
export interface Source {
  readonly from: readonly Address[] | null;
  readonly to: readonly Address[] | null;
  readonly cc: readonly Address[] | null;
  readonly replyTo: readonly Address[] | null;
  readonly subject: string | null;
  readonly messageId: readonly string[] | null;
  readonly references: readonly string[] | null;
  /** Where a list takes mail for all its members (RFC 2369 §3.4). */
  readonly listPost: readonly string[] | null;
  /** To whom its author wants answers to all to go, as lists have it. */
  readonly followUp: readonly Address[] | null;
}

export interface To {
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
}

const isOwn = (own: readonly string[]) => {
  const known = new Set(own.map((one) => one.toLowerCase()));
  return ({ email }: Address) => known.has(email.toLowerCase());
};

/** To whom an answer goes. An answer to what one sent oneself goes to whom that went. */
export function answerTo(source: Source, own: readonly string[], all: boolean): To {
  const mine = isOwn(own);
  const others = (some: readonly Address[] | null) => (some ?? []).filter((one) => !mine(one));
  const author = source.replyTo?.length ? source.replyTo : (source.from ?? []);
  if ((source.from ?? []).some(mine)) {
    // Even where that was oneself alone.
    const places = [others(source.to), others(source.cc), source.to ?? [], author];
    const to = places.find(({ length }) => length) ?? [];
    return { to: unique(to), cc: all ? without(unique(others(source.cc)), to) : [] };
  }
  if (!all) return { to: unique(author), cc: [] };
  if (source.followUp?.length) return { to: unique(source.followUp), cc: [] };
  const list = listAddress(source);
  const to = unique([...author, ...others(source.to)]);
  const named = [...to, ...(source.cc ?? [])];
  // A list that the message came through and that nobody named: all of it is meant.
  const through = list ? without([list], named) : [];
  const cc = without(unique([...others(source.cc), ...through]), to);
  return { to, cc };
}

/** The address of the list that a message came through. */
export function listAddress({ listPost }: Pick<Source, "listPost">): Address | undefined {
  const mailto = (listPost ?? []).find((url) => /^mailto:/i.test(url));
  if (!mailto) return undefined;
  let email = mailto.slice(7).replace(/\?.*$/, "");
  try {
    email = decodeURIComponent(email);
  } catch {
    return undefined;
  }
  return isAddress(email) ? { name: null, email } : undefined;
}

const ANSWERED = /^\s*(?:re|aw|sv|antw|rép|ré|rif|odp|vs)\s*(?:\[\d+\]|\(\d+\))?\s*:\s*/i;
const PASSED = /^\s*(?:fwd?|wg|tr|vb|rv|doorst|i)\s*:\s*/i;

function stripped(subject: string, ...signs: RegExp[]): string {
  let rest = subject;
  for (let n = 0; n < 20; n++) {
    const next = signs.reduce((text, sign) => text.replace(sign, ""), rest);
    if (next === rest) break;
    rest = next;
  }
  return rest.trim();
}

export function answerSubject(subject: string | null): string {
  return `Re: ${stripped(subject ?? "", ANSWERED)}`.trim();
}

export function forwardSubject(subject: string | null): string {
  return `Fwd: ${stripped(subject ?? "", PASSED)}`.trim();
}

/** Message ids that a field holds; the first says which conversation it is, the last what is answered. */
const MOST_REFERENCES = 50;

/** `In-Reply-To` and `References` (RFC 5322 §3.6.4). */
export function threading(source: Source): {
  inReplyTo: readonly string[] | null;
  references: readonly string[] | null;
} {
  const id = source.messageId?.[0];
  if (!id) return { inReplyTo: null, references: source.references };
  const all = [...(source.references ?? []).filter((one) => one !== id), id];
  const references =
    all.length > MOST_REFERENCES ? [...all.slice(0, 1), ...all.slice(1 - MOST_REFERENCES)] : all;
  return { inReplyTo: [id], references };
}

/** What stands below what one writes. */
export interface Quote {
  readonly kind: "reply" | "forward";
  /** The words above it: who wrote when, or the header of what is passed on. */
  readonly intro: string;
  /** Sanitised. */
  readonly html: string;
  readonly text: string;
}

/** The quotation as plain text. */
export function quoteText({ kind, intro, text }: Quote): string {
  const lines = text.replace(/\r\n?/g, "\n").replace(/\s+$/, "").split("\n");
  if (kind === "forward") return `${intro}\n\n${lines.join("\n")}`;
  return [intro, ...lines.map(quoted)].join("\n");
}

/** By which a quotation is found again in a draft; all that follows belongs to it. */
export const QUOTED = '<div class="malleposte-quote">';

/** The quotation as HTML. */
export function quoteHtml({ kind, intro, html }: Quote): string {
  const says = intro
    .split("\n")
    .map((line) => escaped(line))
    .join("<br>");
  const body =
    kind === "reply" ? `<blockquote type="cite" style="${QUOTE}">${html}</blockquote>` : html;
  return `${QUOTED}<div>${says}</div>${kind === "forward" ? "<br>" : ""}${body}</div>`;
}

/** A draft's HTML in two: what was written, and the quotation below it. */
export function splitQuote(html: string): { own: string; quote: string } {
  const at = html.indexOf(QUOTED);
  if (at < 0) return { own: html, quote: "" };
  const end = html.lastIndexOf("</div>");
  return { own: html.slice(0, at), quote: html.slice(at + QUOTED.length, Math.max(end, at)) };
}

/** People in a line of the header of what is passed on. */
export function people(all: readonly Address[] | null): string {
  return (all ?? []).map(written).join(", ");
}
