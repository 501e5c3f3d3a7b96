import type { ReactNode } from "react";
import style from "./Chip.module.css";

/** A small word that says what something is. */
export function Chip({ children }: { children: ReactNode }) {
  return <span className={style.chip}>{children}</span>;
}
