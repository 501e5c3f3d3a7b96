import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { Mailbox } from "../../jmap/index.ts";
import { Button, Dialog } from "../../ui/index.ts";
import { mailboxName } from "../names.ts";
import { useMail } from "../session.ts";
import { remove, removed, within } from "./bin.ts";
import style from "./Organise.module.css";

/** Empties the trash, or the junk, after a question; says how far it is. */
export function EmptyBin({ mailbox }: { mailbox: Mailbox }) {
  const { t, i18n } = useLingui();
  const mail = useMail();
  const [asked, setAsked] = useState(false);
  const [gone, setGone] = useState<number>();
  const name = mailboxName(mailbox, i18n);
  const count = mailbox.totalEmails;

  async function empty(): Promise<void> {
    setAsked(false);
    setGone(0);
    const all = within(mail, mailbox.id).then((ids) => remove(mail, ids, mailbox.id, setGone));
    await removed(all, i18n);
    setGone(undefined);
  }

  return (
    <>
      <Button
        kind="quiet"
        icon={Trash2}
        isDisabled={gone !== undefined}
        onPress={() => setAsked(true)}
      >
        {gone === undefined ? (
          <Trans>Empty</Trans>
        ) : (
          <Trans>
            {gone} of {count}
          </Trans>
        )}
      </Button>
      <Dialog
        open={asked}
        close={() => setAsked(false)}
        title={t`Empty “${name}”?`}
        closeLabel={t`Close`}
      >
        <p>
          {plural(count, {
            one: "# message is deleted for good.",
            other: "# messages are deleted for good.",
          })}{" "}
          <Trans>For some days they can still be brought back, in the settings.</Trans>
        </p>
        <div className={style.answers}>
          <Button onPress={() => setAsked(false)}>
            <Trans>Leave it as it is</Trans>
          </Button>
          <Button kind="danger" onPress={() => void empty()}>
            <Trans>Empty it</Trans>
          </Button>
        </div>
      </Dialog>
    </>
  );
}
