import { Trans, useLingui } from "@lingui/react/macro";
import { Button, Dialog } from "../ui/index.ts";
import style from "./Settings.module.css";

/** A question before something that is not taken back. */
export function Confirm({
  open,
  close,
  title,
  words,
  action,
  confirm,
}: {
  open: boolean;
  close: () => void;
  title: string;
  words: string;
  /** What the button says that does it. */
  action: string;
  confirm: () => void;
}) {
  const { t } = useLingui();
  return (
    <Dialog open={open} close={close} title={title} closeLabel={t`Close`}>
      <p>{words}</p>
      <div className={style.answers}>
        <Button onPress={close}>
          <Trans>Leave it as it is</Trans>
        </Button>
        <Button kind="danger" onPress={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
