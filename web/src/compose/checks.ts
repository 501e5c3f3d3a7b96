/** What is asked before a message goes. Pure. */
import { isAddress } from "./addresses.ts";
import { type Draft, ownText } from "./draft.ts";
import { speaksOfAttachments } from "./forgotten.ts";

export type Question = "nobody" | "invalid" | "subject" | "attachment";

/** The first thing that is to be asked; `allowed`: what was answered already. */
export function question(draft: Draft, allowed: ReadonlySet<Question>): Question | undefined {
  const all = [...draft.to, ...draft.cc, ...draft.bcc];
  if (!all.length) return "nobody";
  if (!all.every(({ email }) => isAddress(email))) return "invalid";
  if (!draft.subject.trim() && !allowed.has("subject")) return "subject";
  const files = draft.attachments.some(({ cid }) => !cid);
  if (!files && !allowed.has("attachment")) {
    const subject = draft.mode === "new" ? draft.subject : "";
    if (speaksOfAttachments(subject, ownText(draft))) return "attachment";
  }
  return undefined;
}
