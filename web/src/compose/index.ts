export { parseAddresses } from "./addresses.ts";
export type { Wish } from "./begin.ts";
export type { Composing } from "./composing.ts";
export { type Answering, Desk } from "./desk.ts";

export { Inline, Windows } from "./Windows.tsx";
export { wishOf } from "./wish.ts";
