export { KeyTable } from "./KeyTable.tsx";
export { type KeyName, keyOf, SHORTCUTS } from "./table.ts";
export { type Keys, useKeys } from "./useKeys.ts";
