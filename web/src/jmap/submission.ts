/** Sending (RFC 8621 §7). */
import type { GetAnswer, QueryAnswer, SetAnswer } from "./methods.ts";
import type { Comparator, Filter, Id, Patch } from "./types.ts";

export interface EmailSubmission {
  readonly id: Id;
  readonly identityId: Id;
  readonly emailId: Id;
  readonly threadId: Id;
  readonly sendAt: string;
  readonly undoStatus: "pending" | "final" | "canceled";
}

interface Get {
  ids: readonly Id[] | null;
  properties?: readonly string[];
}
interface Set {
  create?: Readonly<Record<Id, object>>;
  update?: Readonly<Record<Id, Patch>>;
  /** What becomes of an Email whose submission went well, by the submission's id. */
  onSuccessUpdateEmail?: Readonly<Record<Id, Patch>>;
}
interface Query {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  limit?: number;
}

export interface SubmissionMethods {
  "EmailSubmission/get": [Get, GetAnswer<EmailSubmission>];
  "EmailSubmission/set": [Set, SetAnswer<EmailSubmission>];
  "EmailSubmission/query": [Query, QueryAnswer];
}
