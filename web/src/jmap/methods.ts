/** Methods: what each takes and answers (RFC 8620 §5, RFC 8621). Arguments may be references to answers of
    calls before; `Batch` writes them. */
import type { ContactMethods } from "./contacts.ts";
import type { SettingsMethods } from "./settings.ts";
import type { SubmissionMethods } from "./submission.ts";
import type {
  Comparator,
  Email,
  EmailBody,
  Filter,
  Id,
  Mailbox,
  ParsedEmail,
  Patch,
  SetError,
  Snippet,
  Thread,
} from "./types.ts";

export interface GetArguments {
  ids: readonly Id[] | null;
  properties?: readonly string[];
}
export interface GetAnswer<T> {
  state: string;
  list: readonly T[];
  notFound: readonly Id[];
}
export interface ChangesArguments {
  sinceState: string;
  maxChanges?: number;
}
export interface ChangesAnswer {
  oldState: string;
  newState: string;
  hasMoreChanges: boolean;
  created: readonly Id[];
  updated: readonly Id[];
  destroyed: readonly Id[];
}
export interface SetArguments {
  ifInState?: string;
  create?: Readonly<Record<Id, object>>;
  update?: Readonly<Record<Id, Patch>>;
  destroy?: readonly Id[];
}
export interface SetAnswer<T> {
  oldState: string | null;
  newState: string;
  created: Readonly<Record<Id, Partial<T>>> | null;
  updated: Readonly<Record<Id, Partial<T> | null>> | null;
  destroyed: readonly Id[] | null;
  notCreated: Readonly<Record<Id, SetError>> | null;
  notUpdated: Readonly<Record<Id, SetError>> | null;
  notDestroyed: Readonly<Record<Id, SetError>> | null;
}
export interface QueryArguments {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  position?: number;
  anchor?: Id;
  anchorOffset?: number;
  limit?: number;
  calculateTotal?: boolean;
  collapseThreads?: boolean;
}
export interface QueryAnswer {
  queryState: string;
  canCalculateChanges: boolean;
  position: number;
  ids: readonly Id[];
  total?: number;
}
export interface QueryChangesArguments {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  sinceQueryState: string;
  upToId?: Id;
  calculateTotal?: boolean;
  collapseThreads?: boolean;
}
export interface QueryChangesAnswer {
  oldQueryState: string;
  newQueryState: string;
  total?: number;
  removed: readonly Id[];
  added: readonly { id: Id; index: number }[];
}
export interface BodyArguments {
  fetchHTMLBodyValues?: boolean;
  fetchTextBodyValues?: boolean;
  maxBodyValueBytes?: number;
  /** Of this server: HTML is safe to show, and has its pictures beside it. */
  makeHTMLSafe?: boolean;
  bodyProperties?: readonly string[];
}

export interface Methods extends SettingsMethods, SubmissionMethods, ContactMethods {
  "Mailbox/get": [GetArguments, GetAnswer<Mailbox>];
  "Mailbox/changes": [ChangesArguments, ChangesAnswer & { updatedProperties?: string[] | null }];
  "Mailbox/set": [SetArguments, SetAnswer<Mailbox>];
  "Thread/get": [GetArguments, GetAnswer<Thread>];
  "Thread/changes": [ChangesArguments, ChangesAnswer];
  "Email/get": [GetArguments & BodyArguments, GetAnswer<Email & EmailBody>];
  "Email/parse": [
    BodyArguments & { blobIds: readonly Id[]; properties?: readonly string[] },
    { parsed: Readonly<Record<Id, ParsedEmail>> | null },
  ];
  "Email/changes": [ChangesArguments, ChangesAnswer];
  "Email/query": [QueryArguments, QueryAnswer];
  "Email/queryChanges": [QueryChangesArguments, QueryChangesAnswer];
  "Email/set": [SetArguments, SetAnswer<Email>];
  "PushSubscription/set": [
    SetArguments,
    Pick<SetAnswer<{ id: Id; expires: string }>, "created" | "notCreated">,
  ];
  "SearchSnippet/get": [
    { filter: Filter | null; emailIds: readonly Id[] },
    { list: readonly Snippet[]; notFound: readonly Id[] | null },
  ];
}

export type MethodName = keyof Methods;

/** RFC 8620 §3.7: what an answer before has at a path. */
export interface Reference {
  readonly resultOf: string;
  readonly name: string;
  readonly path: string;
}

/** Arguments, any of which may be a reference in place of a value. */
export type Asked<A> =
  | A
  | ({ [K in keyof A]?: A[K] } & { [K in keyof A as `#${K & string}`]?: Reference });
