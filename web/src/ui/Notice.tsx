import { CircleAlert, Info } from "lucide-react";
import type { ReactNode } from "react";
import { classes } from "./classes.ts";
import style from "./Notice.module.css";

/** A sentence that stands where it happened; read out at once where it is about trouble. */
export function Notice({
  tone = "info",
  children,
}: {
  tone?: "info" | "warn" | "danger";
  children: ReactNode;
}) {
  const Icon = tone === "info" ? Info : CircleAlert;
  return (
    <div
      className={classes(style.notice, style[tone])}
      role={tone === "danger" ? "alert" : "status"}
    >
      <Icon size={18} aria-hidden className={style.icon} />
      <div>{children}</div>
    </div>
  );
}
