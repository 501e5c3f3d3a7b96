/** Rules of filters: new ones, and what of the mail that is there they would have caught. */
import type {
  Email,
  Filter,
  FilterAction,
  FilterCondition,
  FilterRule,
  ForeignRule,
} from "../jmap/index.ts";

export type AnyRule = FilterRule | ForeignRule;

export function isOurs(rule: AnyRule): rule is FilterRule {
  return !("raw" in rule);
}

export function condition(some: Partial<FilterCondition> = {}): FilterCondition {
  return { field: "from", relation: "contains", value: "", name: "", negated: false, ...some };
}

export function action(some: Partial<FilterAction> = {}): FilterAction {
  return {
    does: "move",
    mailbox: "",
    name: "",
    flags: [],
    address: "",
    text: "",
    keeps: true,
    ...some,
  };
}

export function rule(some: Partial<FilterRule> = {}): FilterRule {
  return {
    id: crypto.randomUUID().slice(0, 13),
    name: "",
    enabled: true,
    match: "all",
    conditions: [condition()],
    actions: [action()],
    stop: true,
    ...some,
  };
}

/** A rule for messages like one: of its list where it came by one, else of who wrote it. */
export function ruleLike(email: Email, list: string): FilterRule {
  const from = email.from?.[0]?.email ?? "";
  const like = list
    ? condition({ field: "list", value: list })
    : condition({ field: "from", value: from });
  return rule({ name: list || email.from?.[0]?.name?.trim() || from, conditions: [like] });
}

/** Whether a rule says enough to be kept. */
export function isWhole({ conditions, actions }: FilterRule): boolean {
  const said = (one: FilterCondition) =>
    one.relation === "exists" || one.field === "attachment" || one.value.trim() !== "";
  return (
    conditions.length > 0 &&
    conditions.every((one) => said(one) && (one.field !== "header" || one.name.trim() !== "")) &&
    actions.length > 0 &&
    actions.every(
      (one) =>
        (one.does !== "move" && one.does !== "copy" ? true : one.mailbox || one.name) &&
        (one.does !== "mark" || one.flags.length > 0) &&
        (one.does !== "forward" || one.address.includes("@")),
    )
  );
}

/** What to look for to find what a rule would have caught; nothing where that cannot be said. It may find
    more than the rule catches: `is`, `begins` and `ends` are looked for as words. */
export function queryOf({ conditions, match }: FilterRule): Filter | undefined {
  const found: Filter[] = [];
  for (const one of conditions) {
    const plain = filterOf(one);
    if (!plain) {
      // What is not known narrows it down where all must hold; else it could be anything.
      if (match === "any") return undefined;
      continue;
    }
    found.push(one.negated ? { operator: "NOT", conditions: [plain] } : plain);
  }
  if (!found.length) return undefined;
  if (found.length === 1) return found[0];
  return { operator: match === "all" ? "AND" : "OR", conditions: found };
}

function filterOf({ field, relation, value, name }: FilterCondition): Filter | undefined {
  const text = value.trim();
  switch (field) {
    case "attachment":
      return { hasAttachment: true };
    case "size": {
      const size = Number(text);
      if (!Number.isInteger(size) || size <= 0) return undefined;
      return relation === "larger" ? { minSize: size } : { maxSize: size };
    }
    case "list":
      return relation === "exists" ? { header: ["List-Id"] } : header("List-Id", text);
    case "header":
      if (!name.trim()) return undefined;
      return relation === "exists" ? { header: [name.trim()] } : header(name.trim(), text);
    case "recipient":
      if (!text) return undefined;
      return { operator: "OR", conditions: [{ to: text }, { cc: text }, { bcc: text }] };
    default:
      return text ? { [field]: text } : undefined;
  }
}

function header(name: string, text: string): Filter | undefined {
  return text ? { header: [name, text] } : undefined;
}

/** A rule is moved up (-1) or down (1). */
export function shifted<T>(rules: readonly T[], at: number, by: 1 | -1): readonly T[] {
  const to = at + by;
  const moved = rules[at];
  if (moved === undefined || to < 0 || to >= rules.length) return rules;
  const others = rules.filter((_, n) => n !== at);
  return [...others.slice(0, to), moved, ...others.slice(to)];
}
