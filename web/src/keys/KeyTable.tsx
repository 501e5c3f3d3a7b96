import { Trans, useLingui } from "@lingui/react/macro";
import style from "./KeyTable.module.css";
import { type Group, MAC, SHORTCUTS, written } from "./table.ts";

/** What each key does, a table a subject. */
export function KeyTable() {
  const { t, i18n } = useLingui();
  const groups: readonly [Group, string][] = [
    ["list", t`In the list`],
    ["message", t`With messages`],
    ["write", t`Writing`],
    ["go", t`Anywhere`],
  ];
  const all = Object.values(SHORTCUTS);
  return (
    <div className={style.groups}>
      {groups.map(([group, title]) => (
        <table key={group} className={style.keys}>
          <caption className={style.title}>{title}</caption>
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
            {all
              .filter((one) => one.group === group)
              .map(({ keys, does }) => (
                <tr key={keys.join()}>
                  <td>
                    {keys.map((key) => (
                      <kbd key={key} className={style.key}>
                        {written(key, MAC)}
                      </kbd>
                    ))}
                  </td>
                  <td>{i18n._(does)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      ))}
    </div>
  );
}
