export type { Deed } from "./actions.ts";
export { Disk, forget, type Visit } from "./disk.ts";
export { forgetDrafts, Journal } from "./journal.ts";
export { Database, forgotten, keepNothing, keeps } from "./keeping.ts";
export { Signal } from "./keyed.ts";
export type { ListSpec, MessageList } from "./list.ts";
export { type Done, type Kept, MailStore } from "./mail.ts";
export { forgetOutbox, Outbox } from "./outbox.ts";
export type { Row } from "./threads.ts";
