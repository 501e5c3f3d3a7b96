import { Trans, useLingui } from "@lingui/react/macro";
import { prefs, usePrefs } from "../prefs/index.ts";
import { Switch } from "../ui/index.ts";
import style from "./Settings.module.css";

/** What single keys do, and the switch that turns them off. */
export function KeyboardPage() {
  const { t } = useLingui();
  const { shortcuts } = usePrefs();
  const keys: readonly [keys: readonly string[], does: string][] = [
    [["J", "K"], t`Read the older or the newer message`],
    [["O", "Enter"], t`Open the message`],
    [["U", "Esc"], t`Back to the list`],
    [["X"], t`Mark the row`],
    [["E"], t`Archive`],
    [["#"], t`Move to trash`],
    [["!"], t`Move to junk`],
    [["V"], t`Move to a folder`],
    [["L"], t`Labels`],
    [["S"], t`Star, or remove the star`],
    [["C"], t`Write a message`],
    [["R"], t`Reply`],
    [["A"], t`Reply to all`],
    [["F"], t`Forward`],
    [["Ctrl Enter"], t`Send what is written`],
    [["Ctrl Shift C", "Ctrl Shift B"], t`Copies, blind copies`],
    [["Shift I"], t`Mark as read`],
    [["Shift U"], t`Mark as unread`],
    [["/"], t`Search mail`],
    [["G I"], t`Go to the inbox`],
    [["G D"], t`Go to the drafts`],
    [["G T"], t`Go to what was sent`],
    [["G A"], t`Go to the archive`],
  ];
  return (
    <div className={style.page}>
      <Switch
        label={t`Single keys`}
        hint={t`Each does something at once, as in other mail programs of the web.`}
        on={shortcuts}
        turn={(on) => prefs.set({ shortcuts: on })}
      />
      <table className={style.keys} aria-label={t`What keys do`}>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">
              <Trans>Keys</Trans>
            </th>
            <th scope="col">
              <Trans>What they do</Trans>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map(([names, does]) => (
            <tr key={names.join()}>
              <td>
                {names.map((name) => (
                  <kbd key={name} className={style.key}>
                    {name}
                  </kbd>
                ))}
              </td>
              <td>{does}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
