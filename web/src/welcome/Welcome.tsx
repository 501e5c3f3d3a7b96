import { Trans, useLingui } from "@lingui/react/macro";
import { BellRing, Contrast, Monitor, Moon, Rows2, Rows3, Rows4, Sun } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type KeyName, keyOf, SHORTCUTS } from "../keys/index.ts";
import { forgetShelf } from "../offline/index.ts";
import { type Density, prefs, type Theme, usePrefs } from "../prefs/index.ts";
import { go } from "../route/index.ts";
import { Button, Choice, Dialog, Switch } from "../ui/index.ts";
import style from "./Welcome.module.css";

/** What a newcomer may want to know and choose, in three steps; each can be the last one. `phone`: there are no
    keys to tell of. */
export function Welcome({ phone, close }: { phone: boolean; close: () => void }) {
  const { t } = useLingui();
  const [step, setStep] = useState(0);
  const steps: (readonly [title: string, shows: ReactNode])[] = [
    [t`Welcome. How do you like your mail?`, <Looks key="looks" />],
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

function Looks() {
  const { t } = useLingui();
  const { theme, density } = usePrefs();
  return (
    <>
      <Choice<Theme>
        label={t`Colours`}
        chosen={theme}
        choose={(id) => prefs.set({ theme: id })}
        options={[
          { id: "auto", name: t`As the system`, icon: Monitor },
          { id: "light", name: t`Light`, icon: Sun },
          { id: "dark", name: t`Dark`, icon: Moon },
          { id: "contrast", name: t`High contrast`, icon: Contrast },
        ]}
      />
      <Choice<Density>
        label={t`Density`}
        chosen={density}
        choose={(id) => prefs.set({ density: id })}
        options={[
          { id: "comfortable", name: t`Comfortable`, icon: Rows2 },
          { id: "cozy", name: t`Cozy`, icon: Rows3 },
          { id: "compact", name: t`Compact`, icon: Rows4 },
        ]}
      />
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
  const { t } = useLingui();
  const { offline } = usePrefs();
  return (
    <>
      <Switch
        label={t`Mail without a connection`}
        hint={t`The mail of the last 30 days is kept in this browser, to be read anywhere. Turn it off on a device that is not yours alone.`}
        on={offline}
        turn={(on) => {
          prefs.set({ offline: on });
          if (!on) void forgetShelf();
        }}
      />
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
