import { ChevronDown } from "lucide-react";
import { useId } from "react";
import { classes } from "./classes.ts";
import style from "./Select.module.css";

export interface SelectProps<T extends string> {
  label: string;
  /** The label is read out, and not seen. */
  quiet?: boolean;
  chosen: T;
  choose: (id: T) => void;
  options: readonly { readonly id: T; readonly name: string }[];
}

/** One of many: the browser's own, which every phone and screen reader knows. */
export function Select<T extends string>({
  label,
  quiet,
  chosen,
  choose,
  options,
}: SelectProps<T>) {
  const id = useId();
  return (
    <div className={style.select}>
      <label htmlFor={id} className={classes(style.label, quiet && "visually-hidden")}>
        {label}
      </label>
      <span className={style.box}>
        <select
          id={id}
          className={style.field}
          value={chosen}
          onChange={(event) => choose(event.currentTarget.value as T)}
        >
          {options.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
        <ChevronDown size={16} aria-hidden className={style.sign} />
      </span>
    </div>
  );
}
