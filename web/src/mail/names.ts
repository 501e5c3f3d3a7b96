/** Names of mailboxes and people, in the reader's language. */
import type { Address, Mailbox } from "../jmap/index.ts";

export { mailboxIcon, mailboxName } from "../folders/index.ts";

/** Mailboxes whose rows name who gets the mail, not who wrote it. */
export function isOutgoing(mailbox: Mailbox | undefined): boolean {
  return ["sent", "drafts", "scheduled"].includes(mailbox?.role ?? "");
}

export function personName({ name, email }: Address): string {
  return name?.trim() || email;
}

/** People in a line: in full where it is one, else by their first names. */
export function peopleNames(people: readonly Address[], own: string, me: string): string {
  const named = people.map((one) => (one.email === own ? me : personName(one)));
  if (named.length < 2) return named[0] ?? "";
  return named
    .map((name) => (name.includes("@") ? name : (name.split(/\s+/)[0] ?? name)))
    .join(", ");
}
