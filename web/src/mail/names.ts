/** Names of mailboxes and people, in the reader's language. */
import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import {
  Archive,
  CalendarClock,
  Clock,
  FileText,
  Folder,
  Inbox,
  type LucideIcon,
  Mails,
  Send,
  ShieldAlert,
  Star,
  Trash2,
} from "lucide-react";
import type { Address, Mailbox, Role } from "../jmap/index.ts";

const BY_ROLE: Partial<Record<Role, [MessageDescriptor, LucideIcon]>> = {
  inbox: [msg`Inbox`, Inbox],
  drafts: [msg`Drafts`, FileText],
  sent: [msg`Sent`, Send],
  archive: [msg({ message: "Archive", context: "mailbox" }), Archive],
  junk: [msg`Junk`, ShieldAlert],
  trash: [msg`Trash`, Trash2],
  flagged: [msg`Starred`, Star],
  all: [msg`All mail`, Mails],
  snoozed: [msg`Snoozed`, Clock],
  scheduled: [msg`Scheduled`, CalendarClock],
};

export function mailboxIcon(mailbox: Mailbox): LucideIcon {
  return (mailbox.role && BY_ROLE[mailbox.role]?.[1]) || Folder;
}

/** The name of a mailbox: that of its role where it has one, else its own. */
export function mailboxName(mailbox: Mailbox, i18n: I18n): string {
  const known = mailbox.role ? BY_ROLE[mailbox.role] : undefined;
  return known ? i18n._(known[0]) : mailbox.name;
}

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
