/** The list that a place shows: of a mailbox, or of what is looked for. */
import { i18n } from "../i18n/index.ts";
import type { Mailbox, MailLabel } from "../jmap/index.ts";
import type { MailPlace } from "../route/index.ts";
import { type Known, search } from "../search/index.ts";
import type { ListSpec } from "../store/index.ts";
import { mailboxName } from "./names.ts";

const NEWEST = [{ property: "receivedAt", isAscending: false }] as const;

export interface View {
  readonly spec: ListSpec;
  readonly mailbox: Mailbox | undefined;
  /** Whether a row is a conversation; what was found is shown message by message. */
  readonly conversations: boolean;
  /** The keyword of the label whose messages are shown, in place of a mailbox. */
  readonly keyword?: string | undefined;
}

const LABEL = "label-";

/** Where the messages of a label are, in place of the id of a mailbox. */
export function labelPlace(keyword: string): string {
  return LABEL + keyword;
}

/** What names in a search mean. */
export function knownNames(mailboxes: readonly Mailbox[], labels: readonly MailLabel[]): Known {
  return { mailboxes, labels, nameOf: (mailbox) => mailboxName(mailbox, i18n) };
}

/** Nothing where the place names a mailbox that is not there. */
export function viewOf(
  place: MailPlace,
  mailboxes: readonly Mailbox[],
  conversations: boolean,
  labels: readonly MailLabel[],
): View | undefined {
  if (place.search) {
    const filter = search(place.search, knownNames(mailboxes, labels));
    const spec = { filter, sort: NEWEST, collapseThreads: false, snippets: true };
    return { spec, mailbox: undefined, conversations: false };
  }
  if (place.mailbox.startsWith(LABEL)) {
    const keyword = place.mailbox.slice(LABEL.length);
    const filter = { hasKeyword: keyword };
    const spec = { filter, sort: NEWEST, collapseThreads: conversations };
    return { spec, mailbox: undefined, conversations, keyword };
  }
  const mailbox = mailboxes.find((one) =>
    place.mailbox === "inbox" ? one.role === "inbox" : one.id === place.mailbox,
  );
  if (!mailbox) return undefined;
  const whole = conversations && mailbox.role !== "drafts";
  const spec = { filter: { inMailbox: mailbox.id }, sort: NEWEST, collapseThreads: whole };
  return { spec, mailbox, conversations: whole };
}
