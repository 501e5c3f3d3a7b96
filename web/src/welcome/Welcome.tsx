import { Trans, useLingui } from "@lingui/react/macro";
import { BellRing } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type KeyName, keyOf, SHORTCUTS } from "../keys/index.ts";
import { prefs, usePrefs } from "../prefs/index.ts";
import { go } from "../route/index.ts";
import { Button, Dialog, Switch } from "../ui/index.ts";
import { Looks, Offline } from "../wishes/index.ts";
import style from "./Welcome.module.css";

/** What a newcomer may want to know and choose, in three steps; each can be the last one. `phone`: there are no
    keys to tell of. */
export function Welcome({ phone, close }: { phone: boolean; close: () => void }) {
  const { t } = useLingui();
  const [step, setStep] = useState(0);
  const steps: (readonly [title: string, shows: ReactNode])[] = [
    [t`Welcome. How do you like your mail?`, <First key="looks" />],
    ...(phone ? [] : ([[t`Quicker by keyboard`, <Keys key="keys" />]] as const)),
    [t`New mail, and mail on the way`, <Away key="away" close={close} />],
  ];
  const [title, shows] = steps[step] ?? ["", null];
  const last = step === steps.length - 1;
  const number = step + 1;
  const all = steps.length;
  return (
    <Dialog open close={close} title={title} closeLabel={t`Skip`}>
      <div className={style.step}>{shows}</div>
      <div className={style.foot}>
        <p className={style.where} role="status">
          <Trans>
            {number} of {all}
          </Trans>
        </p>
        {step ? (
          <Button kind="quiet" onPress={() => setStep(step - 1)}>
            <Trans>Back</Trans>
          </Button>
        ) : (
          <Button kind="quiet" onPress={close}>
            <Trans>Skip</Trans>
          </Button>
        )}
        <Button kind="primary" onPress={() => (last ? close() : setStep(step + 1))}>
          {last ? <Trans>To the mail</Trans> : <Trans>Next</Trans>}
        </Button>
      </div>
    </Dialog>
  );
}

function First() {
  return (
    <>
      <Looks />
      <p className={style.hint}>
        <Trans>The settings have more, whenever you like.</Trans>
      </p>
    </>
  );
}

/** Those that are worth knowing first. */
const FIRST: readonly KeyName[] = ["palette", "next", "archive", "reply", "undo", "help"];

function Keys() {
  const { t, i18n } = useLingui();
  const { shortcuts } = usePrefs();
  return (
    <>
      <dl className={style.keys}>
        {FIRST.map((name) => (
          <div key={name}>
            <dt>
              <kbd>{keyOf(name)}</kbd>
            </dt>
            <dd>{i18n._(SHORTCUTS[name].does)}</dd>
          </div>
        ))}
      </dl>
      <Switch
        label={t`Single keys`}
        hint={t`Each does something at once, as in other mail programs of the web.`}
        on={shortcuts}
        turn={(on) => prefs.set({ shortcuts: on })}
      />
    </>
  );
}

function Away({ close }: { close: () => void }) {
  return (
    <>
      <Offline />
      <p className={style.hint}>
        <Trans>This browser can tell you of new mail even while no window is open.</Trans>
      </p>
      <Button
        icon={BellRing}
        onPress={() => {
          close();
          go({ at: "settings", page: "device" });
        }}
      >
        <Trans>Set up notices</Trans>
      </Button>
    </>
  );
}
