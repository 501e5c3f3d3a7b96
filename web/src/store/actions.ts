/** What people do with messages: as a change that is shown at once, as a patch for the server, and as the way
    back. Each is about the very emails it was begun with. */
import type { Email, Id, Patch } from "../jmap/index.ts";

export type Deed =
  | { readonly kind: "keyword"; readonly keyword: string; readonly on: boolean }
  /** Out of one mailbox, or of all where `from` is null, into another; what is not in `from` stays as it is. */
  | { readonly kind: "move"; readonly from: Id | null; readonly to: Id };

/** An Email after a deed; the same object where nothing changes. */
export function done(email: Email, deed: Deed): Email {
  if (deed.kind === "keyword") {
    if (Boolean(email.keywords[deed.keyword]) === deed.on) return email;
    const { [deed.keyword]: _, ...others } = email.keywords;
    return { ...email, keywords: deed.on ? { ...others, [deed.keyword]: true } : others };
  }
  const { from, to } = deed;
  if (from !== null && !email.mailboxIds[from]) return email;
  const kept = Object.keys(email.mailboxIds).filter((id) => from !== null && id !== from);
  const after = [...new Set([...kept, to])];
  const same = after.length === Object.keys(email.mailboxIds).length;
  if (same && after.every((id) => email.mailboxIds[id])) return email;
  return { ...email, mailboxIds: Object.fromEntries(after.map((id) => [id, true])) };
}

/** What makes one state of an Email of another, for the server (RFC 8620 §5.3). */
export function patch(before: Email, after: Email): Patch {
  return {
    ...differences("keywords", before.keywords, after.keywords),
    ...differences("mailboxIds", before.mailboxIds, after.mailboxIds),
  };
}

/** An Email with a patch applied: what `patch` made, and nothing else. */
export function applied(email: Email, changes: Patch): Email {
  const found = { keywords: { ...email.keywords }, mailboxIds: { ...email.mailboxIds } };
  for (const [path, value] of Object.entries(changes)) {
    const [property = "", ...rest] = path.split("/");
    const name = rest.join("/").replace(/~1/g, "/").replace(/~0/g, "~");
    const values = found[property as keyof typeof found];
    if (value === null) delete values[name];
    else values[name] = true;
  }
  return { ...email, ...found };
}

function differences(
  property: string,
  before: Readonly<Record<string, true>>,
  after: Readonly<Record<string, true>>,
): Record<string, true | null> {
  const found: Record<string, true | null> = {};
  const path = (name: string) => `${property}/${name.replace(/~/g, "~0").replace(/\//g, "~1")}`;
  for (const name of Object.keys(after)) if (!before[name]) found[path(name)] = true;
  for (const name of Object.keys(before)) if (!after[name]) found[path(name)] = null;
  return found;
}
