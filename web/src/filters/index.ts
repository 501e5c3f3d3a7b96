export { Caught } from "./Caught.tsx";
export { RuleEditor } from "./RuleEditor.tsx";
export {
  type AnyRule,
  action,
  condition,
  isOurs,
  isWhole,
  rule,
  ruleLike,
  shifted,
} from "./rules.ts";
export { type Places, useWords } from "./words.ts";
