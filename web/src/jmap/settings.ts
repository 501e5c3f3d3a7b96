/** What people set that lives on the server: identities, the reply while they are away, filters. */
import type { GetAnswer, SetAnswer } from "./methods.ts";
import type { Address, Email, Id, Patch } from "./types.ts";

/** RFC 8621 §6. */
export interface Identity {
  readonly id: Id;
  readonly name: string;
  readonly email: string;
  readonly replyTo: readonly Address[] | null;
  readonly bcc: readonly Address[] | null;
  readonly textSignature: string;
  readonly htmlSignature: string;
  readonly mayDelete: boolean;
}

/** RFC 8621 §8; there is one, always. */
export interface VacationResponse {
  readonly id: "singleton";
  readonly isEnabled: boolean;
  readonly fromDate: string | null;
  readonly toDate: string | null;
  readonly subject: string | null;
  readonly textBody: string | null;
  readonly htmlBody: string | null;
}

export interface FilterCondition {
  readonly field:
    | "from"
    | "to"
    | "cc"
    | "recipient"
    | "subject"
    | "list"
    | "body"
    | "header"
    | "size"
    | "attachment";
  readonly relation: "contains" | "is" | "begins" | "ends" | "exists" | "larger" | "smaller";
  readonly value: string;
  readonly name: string;
  readonly negated: boolean;
}

export interface FilterAction {
  readonly does: "move" | "copy" | "mark" | "forward" | "reject" | "discard" | "keep";
  readonly mailbox: string;
  readonly name: string;
  readonly flags: readonly string[];
  readonly address: string;
  readonly text: string;
  readonly keeps: boolean;
}

export interface FilterRule {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly match: "all" | "any";
  readonly conditions: readonly FilterCondition[];
  readonly actions: readonly FilterAction[];
  readonly stop: boolean;
}

/** A rule of a newer version of the server: kept as it is, in its place. */
export interface ForeignRule {
  readonly raw: string;
}

/** All rules of an account, in their order; there is one such object, always. */
export interface Filters {
  readonly id: "singleton";
  readonly rules: readonly (FilterRule | ForeignRule)[];
}

/** A keyword that has a name and a colour: its id is what messages have among their keywords. */
export interface MailLabel {
  readonly id: Id;
  readonly name: string;
  readonly colour: string;
  readonly sortOrder: number;
}

interface Get {
  ids: readonly Id[] | null;
}
interface Set {
  ifInState?: string;
  create?: Readonly<Record<Id, object>>;
  update?: Readonly<Record<Id, Patch>>;
  destroy?: readonly Id[];
}

/** An email that was destroyed and can still be brought back. */
export interface Recoverable {
  readonly id: Id;
  /** Where it was; nothing where that is gone. */
  readonly mailboxId: Id | null;
  readonly subject: string;
  readonly from: string;
  readonly destroyedAt: string;
  readonly until: string;
}

export interface SettingsMethods {
  "Identity/get": [Get, GetAnswer<Identity>];
  "Identity/set": [Set, SetAnswer<Identity>];
  "VacationResponse/get": [Get, GetAnswer<VacationResponse>];
  "VacationResponse/set": [Set, SetAnswer<VacationResponse>];
  /** Of this server (urn:malleposte:params:jmap:filters). */
  "Filters/get": [Get, GetAnswer<Filters>];
  "Filters/set": [Set, SetAnswer<Filters>];
  /** Of this server (urn:malleposte:params:jmap:recovery). */
  "Email/recoverable": [
    { after?: string | null; limit?: number },
    { list: readonly Recoverable[]; next: string | null },
  ];
  "Email/recover": [
    { ids: readonly Id[] },
    { recovered: readonly Id[]; notRecovered: Readonly<Record<Id, object>> | null },
  ];
  /** Of this server (urn:malleposte:params:jmap:unsubscribe). */
  "Email/unsubscribe": [{ emailId: Id }, { emailId: Id }];
  "Email/import": [
    { emails: Readonly<Record<Id, object>> },
    Pick<SetAnswer<Email>, "created" | "notCreated">,
  ];
  /** Of this server (urn:malleposte:params:jmap:labels). */
  "Label/get": [Get, GetAnswer<MailLabel>];
  "Label/set": [Set, SetAnswer<MailLabel>];
}
