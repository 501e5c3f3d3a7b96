/** The data model of RFC 8620 and RFC 8621, as far as this client asks for it. */

export type Id = string;

export interface Session {
  readonly username: string;
  readonly accounts: Readonly<Record<Id, Account>>;
  readonly primaryAccounts: Readonly<Record<string, Id>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly apiUrl: string;
  readonly downloadUrl: string;
  readonly uploadUrl: string;
  readonly eventSourceUrl: string;
  readonly state: string;
}

export interface Account {
  readonly name: string;
  readonly isPersonal: boolean;
  readonly isReadOnly: boolean;
  readonly accountCapabilities: Readonly<Record<string, unknown>>;
}

export type Role =
  | "inbox"
  | "archive"
  | "drafts"
  | "sent"
  | "junk"
  | "trash"
  | "flagged"
  | "important"
  | "all"
  | "templates"
  | "snoozed"
  | "scheduled"
  | "memos";

/** RFC 8621 §2. */
export interface Mailbox {
  readonly id: Id;
  readonly name: string;
  readonly parentId: Id | null;
  readonly role: Role | null;
  readonly sortOrder: number;
  readonly totalEmails: number;
  readonly unreadEmails: number;
  readonly totalThreads: number;
  readonly unreadThreads: number;
  readonly myRights: Readonly<Record<string, boolean>>;
  readonly isSubscribed: boolean;
}

export interface Address {
  readonly name: string | null;
  readonly email: string;
}

/** What a row of a list shows of an Email (RFC 8621 §4.1). */
export interface Email {
  readonly id: Id;
  readonly threadId: Id;
  readonly mailboxIds: Readonly<Record<Id, true>>;
  readonly keywords: Readonly<Record<string, true>>;
  readonly receivedAt: string;
  readonly size: number;
  readonly subject: string | null;
  readonly from: readonly Address[] | null;
  readonly to: readonly Address[] | null;
  readonly preview: string;
  readonly hasAttachment: boolean;
}

export const LIST_PROPERTIES = [
  "id",
  "threadId",
  "mailboxIds",
  "keywords",
  "receivedAt",
  "size",
  "subject",
  "from",
  "to",
  "preview",
  "hasAttachment",
] as const satisfies readonly (keyof Email)[];

/** RFC 8621 §4.1.4. */
export interface Part {
  readonly partId: string | null;
  readonly blobId: Id | null;
  readonly size: number;
  readonly name: string | null;
  readonly type: string;
  readonly charset: string | null;
  readonly disposition: string | null;
  readonly cid: string | null;
}

export interface BodyValue {
  readonly value: string;
  readonly isEncodingProblem: boolean;
  readonly isTruncated: boolean;
  /** Of HTML that the server made safe: by the number in `data-picture` and `data-background`. */
  readonly pictures?: readonly Picture[];
  /** Pictures that were there to tell that the message is read, and are gone. */
  readonly trackers?: number;
}

/** One of: a part of the message; itself; one of the web, by a path of this server where there is one. */
export interface Picture {
  readonly blobId?: Id;
  readonly data?: string;
  readonly url?: string | null;
  readonly host?: string;
}

/** What reading a message needs beside its row. */
export interface EmailBody {
  readonly id: Id;
  readonly blobId: Id;
  readonly cc: readonly Address[] | null;
  readonly bcc: readonly Address[] | null;
  readonly replyTo: readonly Address[] | null;
  readonly sentAt: string | null;
  readonly messageId: readonly string[] | null;
  readonly references: readonly string[] | null;
  readonly htmlBody: readonly Part[];
  readonly textBody: readonly Part[];
  readonly attachments: readonly Part[];
  readonly bodyValues: Readonly<Record<string, BodyValue>>;
}

/** A message within another (RFC 8621 §4.9). */
export type ParsedEmail = Pick<Email, "subject" | "from" | "to"> &
  Pick<EmailBody, "cc" | "sentAt" | "htmlBody" | "attachments" | "bodyValues">;

export const BODY_PROPERTIES = [
  "id",
  "blobId",
  "cc",
  "bcc",
  "replyTo",
  "sentAt",
  "messageId",
  "references",
  "htmlBody",
  "textBody",
  "attachments",
  "bodyValues",
] as const satisfies readonly (keyof EmailBody)[];

/** RFC 8621 §3. */
export interface Thread {
  readonly id: Id;
  readonly emailIds: readonly Id[];
}

/** RFC 8621 §4.4.1; a condition, or several of them. */
export type Filter =
  | { readonly operator: "AND" | "OR" | "NOT"; readonly conditions: readonly Filter[] }
  | Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** Where a text was found in an Email, as HTML with `<mark>` (RFC 8621 §5). */
export interface Snippet {
  readonly emailId: Id;
  readonly subject: string | null;
  readonly preview: string | null;
}

export interface Comparator {
  readonly property: string;
  readonly isAscending?: boolean;
  readonly keyword?: string;
}

/** A change of an object by paths (RFC 8620 §5.3), or of whole properties. */
export type Patch = Readonly<Record<string, unknown>>;

export interface SetError {
  readonly type: string;
  readonly description?: string;
}
