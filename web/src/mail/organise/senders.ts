/** What is done about whoever sent a message: a filter for more of the kind, no more of it at all. */
import { useLingui } from "@lingui/react/macro";
import { useMemo } from "react";
import { type Email, loadOne, MethodError, RequestError, saveOne } from "../../jmap/index.ts";
import { toasts } from "../../ui/index.ts";
import type { Deeds } from "../deeds.ts";
import { type MailSession, useMail } from "../session.ts";
import { LIST_FIELDS, type ListFields, listFields } from "./lists.ts";
import { useOrganise } from "./Organise.tsx";

// The form of rules is a piece of its own, that mail is read without.
const filters = () => import("../../filters/index.ts");

/** Throws `RequestError`, `MethodError`. */
export async function askedList({ client }: MailSession, id: string): Promise<ListFields> {
  const batch = client.batch();
  const call = batch.add("Email/get", { ids: [id], properties: LIST_FIELDS });
  const [found] = (await client.send(batch)).of(call).list;
  return listFields({ ...found });
}

export function useSenders(deeds: Deeds) {
  const mail = useMail();
  const organise = useOrganise();
  const { t } = useLingui();
  return useMemo(() => {
    async function tried(attempt: () => Promise<void>): Promise<void> {
      try {
        await attempt();
      } catch (error) {
        if (!(error instanceof RequestError || error instanceof MethodError)) throw error;
        toasts.show(t`The server cannot do this at the moment. Try again soon.`);
      }
    }

    /** Opens the form of a filter, filled in. */
    async function like(email: Email): Promise<void> {
      const [{ ruleLike }, { list }] = await Promise.all([
        filters(),
        askedList(mail, email.id).catch(() => ({ list: "" })),
      ]);
      organise({ kind: "filter", rule: ruleLike(email, list) });
    }

    /** What comes from now on goes to junk, and so does this. */
    async function block(email: Email): Promise<void> {
      const { action, condition, rule } = await filters();
      const address = email.from?.[0]?.email ?? "";
      const junk = mail.store.mailboxes.role("junk");
      const made = rule({
        name: t`Blocked: ${address}`,
        conditions: [condition({ value: address })],
        actions: [action({ mailbox: junk?.id ?? "", name: junk?.name ?? "Junk" })],
      });
      return tried(async () => {
        const { state, one } = await loadOne(mail.client, "Filters");
        await saveOne(mail.client, "Filters", state, { rules: [made, ...one.rules] });
        if (junk && !email.mailboxIds[junk.id]) deeds.junk([email.id]);
        toasts.show(t`Mail from ${address} goes to junk from now on.`, {
          words: t`Undo`,
          run: () =>
            void tried(async () => {
              const now = await loadOne(mail.client, "Filters");
              const rules = now.one.rules.filter((other) => "raw" in other || other.id !== made.id);
              await saveOne(mail.client, "Filters", now.state, { rules });
            }),
        });
      });
    }

    /** The server asks the list; where that is not to be had, its page is opened. */
    function unsubscribe(email: Email, { oneStep, page }: ListFields): Promise<void> {
      const elsewhere = () => void window.open(page, "_blank", "noopener,noreferrer");
      if (!oneStep) {
        elsewhere();
        return Promise.resolve();
      }
      return tried(async () => {
        const batch = mail.client.batch();
        const call = batch.add("Email/unsubscribe", { emailId: email.id });
        const answers = await mail.client.send(batch);
        try {
          answers.of(call);
          toasts.show(t`The list was told that you leave it.`);
        } catch (error) {
          if (!(error instanceof MethodError)) throw error;
          toasts.show(t`The list could not be told. It has a page where you can leave it.`, {
            words: t`Open the page`,
            leads: true,
            run: elsewhere,
          });
        }
      });
    }
    return { like, block, unsubscribe };
  }, [mail, organise, deeds, t]);
}
