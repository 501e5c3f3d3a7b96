import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { Caught, isWhole, RuleEditor } from "../../filters/index.ts";
import { type FilterRule, loadOne, saveOne } from "../../jmap/index.ts";
import { Button, Dialog, Notice, toasts } from "../../ui/index.ts";
import { useMailboxes } from "../hooks.ts";
import { useMail } from "../session.ts";
import { useLabels } from "./labels.ts";
import style from "./Organise.module.css";
import { useAttempt } from "./useAttempt.ts";

/** A filter made from a message, before it is kept. */
export default function FilterDialog({ begun, close }: { begun: FilterRule; close: () => void }) {
  const { t } = useLingui();
  const { client } = useMail();
  const mailboxes = useMailboxes();
  const labels = useLabels();
  const [trouble, run] = useAttempt();
  const [rule, setRule] = useState(begun);

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    const worked = await run(async () => {
      const { state, one } = await loadOne(client, "Filters");
      await saveOne(client, "Filters", state, { rules: [rule, ...one.rules] });
    });
    if (!worked) return;
    toasts.show(t`The filter is on for mail that comes from now on.`);
    close();
  }

  return (
    <Dialog open size="wide" close={close} title={t`New filter`} closeLabel={t`Close`}>
      <form className={style.form} onSubmit={(event) => void save(event)}>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <RuleEditor rule={rule} change={setRule} places={{ mailboxes, labels: labels.all }} />
        <Caught rule={rule} client={client} />
        <div className={style.answers}>
          <Button type="submit" kind="primary" isDisabled={!isWhole(rule)}>
            <Trans>Save the filter</Trans>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
