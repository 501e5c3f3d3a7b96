import type { LucideIcon } from "lucide-react";
import { Label, Radio, RadioGroup } from "react-aria-components";
import style from "./Choice.module.css";

export interface ChoiceProps<T extends string> {
  label: string;
  chosen: T;
  choose: (id: T) => void;
  options: readonly { readonly id: T; readonly name: string; readonly icon?: LucideIcon }[];
}

/** One of a few, all of them seen at once. */
export function Choice<T extends string>({ label, chosen, choose, options }: ChoiceProps<T>) {
  return (
    <RadioGroup
      className={style.group ?? ""}
      value={chosen}
      onChange={(id) => choose(id as T)}
      orientation="horizontal"
    >
      <Label className={style.label ?? ""}>{label}</Label>
      <div className={style.options}>
        {options.map(({ id, name, icon: Icon }) => (
          <Radio key={id} value={id} className={style.option ?? ""}>
            {Icon ? <Icon size={18} aria-hidden /> : null}
            {name}
          </Radio>
        ))}
      </div>
    </RadioGroup>
  );
}
