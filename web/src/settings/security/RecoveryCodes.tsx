import { Trans, useLingui } from "@lingui/react/macro";
import { Copy, Download, Printer } from "lucide-react";
import { useState } from "react";
import { go } from "../../route/index.ts";
import { Button, Checkbox, Dialog, Notice, toasts } from "../../ui/index.ts";
import { Form } from "../Section.tsx";
import { saved } from "../saved.ts";
import style from "./Security.module.css";

/** Codes for the day the phone is lost, shown once. `began`: the second step was just turned on, so what
    programs need comes next. */
export function RecoveryCodes({
  codes,
  began,
  close,
}: {
  codes: readonly string[];
  began: boolean;
  close: () => void;
}) {
  const { t } = useLingui();
  const [kept, setKept] = useState(false);
  const text = [t`Recovery codes for ${location.host}`, "", ...codes, ""].join("\r\n");

  function next(): void {
    if (!kept) return;
    close();
    if (began) go({ at: "settings", page: "app-passwords" });
  }

  return (
    <Dialog open close={() => kept && close()} title={t`Your recovery codes`} closeLabel={t`Close`}>
      <Form
        submit={next}
        actions={
          <Button type="submit" kind="primary" isDisabled={!kept}>
            {began ? <Trans>Go on to app passwords</Trans> : <Trans>Done</Trans>}
          </Button>
        }
      >
        <p>
          <Trans>
            When your phone is lost, each of these signs you in once. They are not shown again: keep
            them where you keep important papers.
          </Trans>
        </p>
        <ol className={style.codes} data-print>
          {codes.map((code) => (
            <li key={code}>
              <code>{code}</code>
            </li>
          ))}
        </ol>
        <div className={style.ways}>
          <Button
            icon={Copy}
            onPress={() =>
              void navigator.clipboard
                .writeText(text)
                .then(() => toasts.show(t`The recovery codes were copied.`))
            }
          >
            <Trans>Copy</Trans>
          </Button>
          <Button icon={Printer} onPress={() => print()}>
            <Trans>Print</Trans>
          </Button>
          <Button icon={Download} onPress={() => saved(text, `${location.hostname}-codes.txt`)}>
            <Trans>Download</Trans>
          </Button>
        </div>
        {began ? (
          <Notice>
            <Trans>
              Mail programs cannot show a second step. Next you make a password for each of them.
            </Trans>
          </Notice>
        ) : null}
        <Checkbox on={kept} turn={setKept}>
          <Trans>I have kept these codes</Trans>
        </Checkbox>
      </Form>
    </Dialog>
  );
}
