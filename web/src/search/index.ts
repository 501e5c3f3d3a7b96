export { filterOf, type Known, mailboxNamed, saysWhere, search } from "./filter.ts";
export {
  type Meaning,
  OPERATORS,
  parse,
  type Query,
  quoted,
  type Term,
  unquoted,
  without,
} from "./parse.ts";
export { recent } from "./recent.ts";
export { near, type Run, runs } from "./snippet.ts";
export { type Suggestion, suggestions } from "./suggest.ts";
