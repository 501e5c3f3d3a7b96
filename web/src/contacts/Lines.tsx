import { useLingui } from "@lingui/react/macro";
import { Plus, X } from "lucide-react";
import { Button, IconButton, Select, TextField } from "../ui/index.ts";
import style from "./Editor.module.css";
import { freshKey, type Line, type Postal, type PostalPart, type Where } from "./form.ts";
import { useWhere } from "./names.ts";

const HOME: readonly Where[] = ["", "private", "work"];
const TELEPHONE: readonly Where[] = ["", "mobile", "private", "work", "fax"];

function usePlaces(kinds: readonly Where[]) {
  const { t } = useLingui();
  const nameOf = useWhere();
  return kinds.map((id) => ({ id, name: nameOf(id) || t`Other` }));
}

export interface LinesProps {
  kind: "email" | "tel" | "url";
  label: string;
  add: string;
  lines: readonly Line[];
  change: (lines: readonly Line[]) => void;
}

/** Things of which a person has several, each with where it is used. */
export function Lines({ kind, label, add, lines, change }: LinesProps) {
  const { t } = useLingui();
  const places = usePlaces(kind === "tel" ? TELEPHONE : HOME);
  const put = (key: string, part: Partial<Line>) =>
    change(lines.map((one) => (one.key === key ? { ...one, ...part } : one)));
  return (
    <fieldset className={style.group}>
      <legend className={style.legend}>{label}</legend>
      {lines.map(({ key, value, where }) => (
        <div key={key} className={style.line}>
          <TextField
            label=""
            aria-label={label}
            type={kind}
            autoComplete="off"
            value={value}
            onChange={(next) => put(key, { value: next })}
            maxLength={2_000}
          />
          <Select
            label={t`Where it is used`}
            quiet
            chosen={where}
            choose={(next) => put(key, { where: next })}
            options={places}
          />
          <IconButton
            icon={X}
            label={t`Remove`}
            onPress={() => change(lines.filter((one) => one.key !== key))}
          />
        </div>
      ))}
      <span className={style.add}>
        <Button
          kind="quiet"
          icon={Plus}
          onPress={() => change([...lines, { key: freshKey(lines), value: "", where: "" }])}
        >
          {add}
        </Button>
      </span>
    </fieldset>
  );
}

/** Postal addresses, in the parts that they have. */
export function Postals({
  lines,
  change,
}: {
  lines: readonly Postal[];
  change: (lines: readonly Postal[]) => void;
}) {
  const { t } = useLingui();
  const places = usePlaces(HOME);
  const put = (key: string, part: Partial<Postal>) =>
    change(lines.map((one) => (one.key === key ? { ...one, ...part } : one)));
  const names: Readonly<Record<PostalPart, string>> = {
    street: t`Street and number`,
    postcode: t`Postcode`,
    locality: t`Town`,
    region: t`Region`,
    country: t`Country`,
  };
  const field = (line: Postal, name: PostalPart) => (
    <TextField
      label=""
      aria-label={names[name]}
      placeholder={names[name]}
      autoComplete="off"
      value={line[name]}
      onChange={(next) => put(line.key, { [name]: next })}
      maxLength={1_000}
    />
  );
  const blank = { street: "", postcode: "", locality: "", region: "", country: "" };
  return (
    <fieldset className={style.group}>
      <legend className={style.legend}>{t`Address`}</legend>
      {lines.map((line) => (
        <div key={line.key} className={style.postal}>
          <div className={style.parts}>
            <div className={style.whole}>{field(line, "street")}</div>
            {field(line, "postcode")}
            {field(line, "locality")}
            {field(line, "region")}
            {field(line, "country")}
            <div className={style.whole}>
              <Select
                label={t`Where it is used`}
                quiet
                chosen={line.where}
                choose={(where) => put(line.key, { where })}
                options={places}
              />
            </div>
          </div>
          <IconButton
            icon={X}
            label={t`Remove`}
            onPress={() => change(lines.filter(({ key }) => key !== line.key))}
          />
        </div>
      ))}
      <span className={style.add}>
        <Button
          kind="quiet"
          icon={Plus}
          onPress={() => change([...lines, { key: freshKey(lines), where: "", ...blank }])}
        >
          {t`Add an address`}
        </Button>
      </span>
    </fieldset>
  );
}
