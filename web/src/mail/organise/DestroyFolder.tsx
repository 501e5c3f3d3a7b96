import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { withBelow } from "../../folders/index.ts";
import type { Mailbox } from "../../jmap/index.ts";
import { Button, Dialog, Notice } from "../../ui/index.ts";
import { useMailboxes } from "../hooks.ts";
import { useMail } from "../session.ts";
import { destroyFolder } from "./folders.ts";
import style from "./Organise.module.css";
import { useAttempt } from "./useAttempt.ts";

/** A question before a folder goes with what is in it. */
export function DestroyFolder({ mailbox, close }: { mailbox: Mailbox; close: () => void }) {
  const { t } = useLingui();
  const mail = useMail();
  const all = useMailboxes();
  const [trouble, run] = useAttempt();
  const ids = withBelow(mailbox.id, all);
  const count = all.reduce((sum, one) => sum + (ids.has(one.id) ? one.totalEmails : 0), 0);

  async function destroy(): Promise<void> {
    if (await run(() => destroyFolder(mail, mailbox.id))) close();
  }

  return (
    <Dialog open close={close} title={t`Delete “${mailbox.name}”?`} closeLabel={t`Close`}>
      <div className={style.form}>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <p>
          <Plural
            value={count}
            _0="It is empty."
            one="With the message that is in it."
            other="With # messages that are in it."
          />
        </p>
        <div className={style.answers}>
          <Button onPress={close}>
            <Trans>Leave it as it is</Trans>
          </Button>
          <Button kind="danger" onPress={() => void destroy()}>
            <Trans>Delete</Trans>
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
