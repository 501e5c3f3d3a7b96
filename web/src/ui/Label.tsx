import { Tag } from "lucide-react";
import style from "./Label.module.css";

/** What a label looks like: its name, in its colour. */
export function Label({ name, colour }: { name: string; colour: string }) {
  return (
    <span className={style.label} data-colour={colour || undefined}>
      {name}
    </span>
  );
}

/** The sign of a label, in its colour. */
export function LabelSign({ colour, size = 18 }: { colour: string; size?: number }) {
  return (
    <span className={style.sign} data-colour={colour || undefined} aria-hidden>
      <Tag size={size} />
    </span>
  );
}
