import { useLingui } from "@lingui/react/macro";
import { forgetShelf } from "../offline/index.ts";
import { prefs, usePrefs } from "../prefs/index.ts";
import { Switch } from "../ui/index.ts";

/** Whether mail is kept in this browser; what is kept goes when it is turned off. */
export function Offline() {
  const { t } = useLingui();
  const { offline } = usePrefs();
  return (
    <Switch
      label={t`Mail without a connection`}
      hint={t`The mail of the last 30 days is kept in this browser, to be read anywhere. Turn it off on a device that is not yours alone.`}
      on={offline}
      turn={(on) => {
        prefs.set({ offline: on });
        if (!on) void forgetShelf();
      }}
    />
  );
}
