import { Switch as AriaSwitch } from "react-aria-components";
import style from "./Switch.module.css";

export interface SwitchProps {
  label: string;
  hint?: string;
  on: boolean;
  turn: (on: boolean) => void;
}

/** Something that is on or off, at once. */
export function Switch({ label, hint, on, turn }: SwitchProps) {
  return (
    <AriaSwitch className={style.switch ?? ""} isSelected={on} onChange={turn}>
      <span className={style.words}>
        <span className={style.label}>{label}</span>
        {hint ? <span className={style.hint}>{hint}</span> : null}
      </span>
      <span className={style.track}>
        <span className={style.knob} />
      </span>
    </AriaSwitch>
  );
}
