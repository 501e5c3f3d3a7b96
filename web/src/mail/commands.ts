/** What the palette offers: places of the mail and the settings, and what can be done with what is marked. */
import { useLingui } from "@lingui/react/macro";
import {
  Archive,
  BookUser,
  FolderInput,
  Forward,
  Keyboard,
  Mail,
  MailOpen,
  PenLine,
  Reply,
  ReplyAll,
  ShieldAlert,
  Star,
  Tag,
  Trash2,
} from "lucide-react";
import { pathName, tree } from "../folders/index.ts";
import type { Id } from "../jmap/index.ts";
import { type KeyName, keyOf, SHORTCUTS } from "../keys/index.ts";
import type { Command } from "../palette/index.ts";
import { go } from "../route/index.ts";
import { SUBJECTS } from "../subjects/index.ts";
import { useMailboxes } from "./hooks.ts";
import { mailboxIcon, mailboxName } from "./names.ts";
import { useLabels } from "./organise/labels.ts";
import { labelPlace } from "./view.ts";
import { useWriting } from "./writing.ts";

/** Keys that lead to the mailbox of a role. */
const LEADS: Readonly<Record<string, KeyName>> = {
  inbox: "inbox",
  drafts: "drafts",
  sent: "sent",
  archive: "archived",
};

/** What is there wherever one is. */
export function useCommands(help: () => void): readonly Command[] {
  const { t, i18n } = useLingui();
  const mailboxes = useMailboxes();
  const labels = useLabels().all;
  const writing = useWriting();
  const folders = tree(mailboxes).map(([one]): Command => {
    const leads = LEADS[one.role ?? ""];
    return {
      id: `folder ${one.id}`,
      words: one.role ? mailboxName(one, i18n) : pathName(one, mailboxes, i18n),
      group: t`Mailboxes`,
      icon: mailboxIcon(one),
      key: leads && keyOf(leads),
      run: () => go({ at: "mail", mailbox: one.id }),
    };
  });
  return [
    {
      id: "compose",
      words: i18n._(SHORTCUTS.compose.does),
      group: t`Writing`,
      icon: PenLine,
      key: keyOf("compose"),
      run: () => writing.compose(),
    },
    ...folders,
    ...labels.map(
      (one): Command => ({
        id: `label ${one.id}`,
        words: one.name,
        group: t`Labels`,
        icon: Tag,
        run: () => go({ at: "mail", mailbox: labelPlace(one.id) }),
      }),
    ),
    ...SUBJECTS.map(
      ({ id, name, icon }): Command => ({
        id: `settings ${id}`,
        words: i18n._(name),
        group: t`Settings`,
        icon,
        run: () => go({ at: "settings", page: id }),
      }),
    ),
    {
      id: "contacts",
      words: t`Contacts`,
      group: t`Contacts`,
      icon: BookUser,
      key: keyOf("contacts"),
      run: () => go({ at: "contacts", book: "all" }),
    },
    {
      id: "help",
      words: i18n._(SHORTCUTS.help.does),
      group: t`Help`,
      icon: Keyboard,
      key: keyOf("help"),
      run: help,
    },
  ];
}

const SIGNS = {
  archive: Archive,
  trash: Trash2,
  junk: ShieldAlert,
  move: FolderInput,
  label: Tag,
  star: Star,
  read: MailOpen,
  unread: Mail,
  reply: Reply,
  replyAll: ReplyAll,
  forward: Forward,
} as const;

export type Doing = Readonly<Partial<Record<keyof typeof SIGNS, () => void>>>;

/** What can be done with what is open or marked: the same as by keys. */
export function useDoing(): (doing: Doing) => readonly Command[] {
  const { t, i18n } = useLingui();
  return (doing) =>
    (Object.keys(SIGNS) as (keyof typeof SIGNS)[]).flatMap((id) => {
      const run = doing[id];
      if (!run) return [];
      const words = i18n._(SHORTCUTS[id].does);
      return [{ id, words, group: t`With messages`, icon: SIGNS[id], key: keyOf(id), run }];
    });
}

/** The message that is answered: the newest of those that are read with one. */
export function answered(emails: readonly { id: Id; keywords: object }[]): Id | undefined {
  return emails.filter(({ keywords }) => !("$draft" in keywords)).at(-1)?.id;
}
