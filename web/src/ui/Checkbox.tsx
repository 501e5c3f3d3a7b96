import { Check } from "lucide-react";
import type { ReactNode } from "react";
import { Checkbox as AriaCheckbox } from "react-aria-components";
import style from "./Checkbox.module.css";

export interface CheckboxProps {
  name?: string;
  on?: boolean;
  turn?: (on: boolean) => void;
  hint?: string;
  children: ReactNode;
}

/** One of several things that may be chosen, or something to agree to. */
export function Checkbox({ name, on, turn, hint, children }: CheckboxProps) {
  return (
    <AriaCheckbox
      className={style.checkbox ?? ""}
      {...(name ? { name } : {})}
      {...(on === undefined ? {} : { isSelected: on })}
      {...(turn ? { onChange: turn } : {})}
    >
      <span className={style.box} aria-hidden>
        <Check size={14} strokeWidth={3} />
      </span>
      <span className={style.words}>
        {children}
        {hint ? <span className={style.hint}>{hint}</span> : null}
      </span>
    </AriaCheckbox>
  );
}
