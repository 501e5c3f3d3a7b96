/** Mailboxes as people know them: names in their language, signs, and the order of a tree. */
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
import type { Id, Mailbox, Role } from "../jmap/index.ts";

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

/** Mailboxes in the order of a tree, each with how deep it is. */
export function tree(all: readonly Mailbox[]): [Mailbox, number][] {
  const known = new Set(all.map((one) => one.id));
  const below = (parent: string | null, depth: number): [Mailbox, number][] =>
    all
      .filter((one) => (one.parentId && known.has(one.parentId) ? one.parentId : null) === parent)
      .flatMap((one) => [[one, depth] as [Mailbox, number], ...below(one.id, depth + 1)]);
  return below(null, 0);
}

/** The name of a mailbox with those above it. */
export function pathName(mailbox: Mailbox, all: readonly Mailbox[], i18n: I18n): string {
  const names = [mailboxName(mailbox, i18n)];
  let above = mailbox.parentId;
  for (let depth = 0; above && depth < 20; depth++) {
    const parent = all.find((one) => one.id === above);
    if (!parent) break;
    names.unshift(mailboxName(parent, i18n));
    above = parent.parentId;
  }
  return names.join(" / ");
}

/** A mailbox and all below it. */
export function withBelow(id: Id, all: readonly Mailbox[]): ReadonlySet<Id> {
  const found = new Set([id]);
  for (const [one] of tree(all)) if (one.parentId && found.has(one.parentId)) found.add(one.id);
  return found;
}
