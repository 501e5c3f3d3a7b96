import { useLingui } from "@lingui/react/macro";
import { KeyTable } from "../keys/index.ts";
import { prefs, usePrefs } from "../prefs/index.ts";
import { Switch } from "../ui/index.ts";
import style from "./Settings.module.css";

/** What single keys do, and the switch that turns them off. */
export function KeyboardPage() {
  const { t } = useLingui();
  const { shortcuts } = usePrefs();
  return (
    <div className={style.page}>
      <Switch
        label={t`Single keys`}
        hint={t`Each does something at once, as in other mail programs of the web.`}
        on={shortcuts}
        turn={(on) => prefs.set({ shortcuts: on })}
      />
      <KeyTable />
    </div>
  );
}
