/** Rules in words. */
import { useLingui } from "@lingui/react/macro";
import { mailboxName } from "../folders/index.ts";
import type {
  FilterAction,
  FilterCondition,
  FilterRule,
  Mailbox,
  MailLabel,
} from "../jmap/index.ts";

type Field = FilterCondition["field"];
type Relation = FilterCondition["relation"];
type Does = FilterAction["does"];

/** What actions may name. */
export interface Places {
  readonly mailboxes: readonly Mailbox[];
  readonly labels: readonly MailLabel[];
}

export function useWords() {
  const { t, i18n } = useLingui();
  const fields: Readonly<Record<Field, string>> = {
    from: t`From`,
    to: t`To`,
    cc: t`Copy to`,
    recipient: t`To or copy to`,
    subject: t`Subject`,
    list: t`Mailing list`,
    body: t`Text`,
    header: t`Header field`,
    size: t`Size`,
    attachment: t`Attachment`,
  };
  const relations: Readonly<Record<Relation, string>> = {
    contains: t`contains`,
    is: t`is`,
    begins: t`begins with`,
    ends: t`ends with`,
    exists: t`is there`,
    larger: t`is larger than`,
    smaller: t`is smaller than`,
  };
  const not: Readonly<Record<Relation, string>> = {
    contains: t`does not contain`,
    is: t`is not`,
    begins: t`does not begin with`,
    ends: t`does not end with`,
    exists: t`is not there`,
    larger: t`is not larger than`,
    smaller: t`is not smaller than`,
  };
  const deeds: Readonly<Record<Does, string>> = {
    move: t`Move to`,
    copy: t`Copy to a folder`,
    mark: t`Mark`,
    forward: t`Send on to`,
    reject: t`Refuse with words`,
    discard: t`Delete without a trace`,
    keep: t`Keep in the inbox`,
  };

  function mark(flag: string, { labels }: Places): string {
    if (flag === "\\Seen") return t`as read`;
    if (flag === "\\Flagged") return t`with a star`;
    return labels.find((one) => one.id === flag)?.name ?? flag;
  }

  function ofCondition(one: FilterCondition): string {
    const field = one.field === "header" ? one.name : fields[one.field];
    if (one.field === "attachment") return one.negated ? t`no attachment` : t`with attachments`;
    const relation = (one.negated ? not : relations)[one.relation];
    return one.relation === "exists"
      ? `${field} ${relation}`
      : `${field} ${relation} “${one.value}”`;
  }

  function ofAction(one: FilterAction, places: Places): string {
    switch (one.does) {
      case "move":
      case "copy": {
        const known = places.mailboxes.find((box) => box.id === one.mailbox);
        return `${deeds[one.does]} ${known ? mailboxName(known, i18n) : one.name || t`a folder that is gone`}`;
      }
      case "mark":
        return `${deeds.mark} ${one.flags.map((flag) => mark(flag, places)).join(", ")}`;
      case "forward":
        return `${deeds.forward} ${one.address}`;
      default:
        return deeds[one.does];
    }
  }

  /** A rule in a line. */
  function summary({ conditions, match, actions }: FilterRule, places: Places): string {
    const joined = conditions.map(ofCondition).join(match === "all" ? t` and ` : t` or `);
    const done = actions.map((one) => ofAction(one, places)).join(", ");
    return `${joined || t`All mail`} → ${done}`;
  }
  return { fields, relations, not, deeds, mark, summary };
}
