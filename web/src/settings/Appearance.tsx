import { useLingui } from "@lingui/react/macro";
import { prefs, usePrefs } from "../prefs/index.ts";
import { Switch } from "../ui/index.ts";
import { Looks } from "../wishes/index.ts";
import style from "./Settings.module.css";

export function Appearance() {
  const { t } = useLingui();
  const { conversations } = usePrefs();
  return (
    <div className={style.page}>
      <Looks />
      <Switch
        label={t`Conversations`}
        hint={t`Messages that answer each other are one row of the list.`}
        on={conversations}
        turn={(on) => prefs.set({ conversations: on })}
      />
    </div>
  );
}
