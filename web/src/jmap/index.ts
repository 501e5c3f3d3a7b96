export { Answers, Batch, type Call, type Invocation } from "./batch.ts";
export { type Fetch, JmapClient, type Transport } from "./client.ts";
export { MethodError, RequestError, type Trouble } from "./errors.ts";
export type * from "./methods.ts";
export { Push, type Source, type Timers } from "./push.ts";
export type * from "./settings.ts";
export { type Kept, loadOne, saveOne } from "./singleton.ts";
export type * from "./submission.ts";
export * from "./types.ts";
