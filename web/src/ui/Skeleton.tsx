import { classes } from "./classes.ts";
import style from "./Skeleton.module.css";

/** The place of words that are on their way; it shows itself only after a moment. */
export function Skeleton({ width, round }: { width: "short" | "half" | "long"; round?: boolean }) {
  return (
    <span aria-hidden className={classes(style.skeleton, style[width], round && style.round)} />
  );
}
