import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import style from "./EmptyState.module.css";

/** What stands where there is nothing: why, and what can be done. */
export function EmptyState({
  icon: Icon,
  title,
  children,
}: {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className={style.empty}>
      <span className={style.icon}>
        <Icon size={28} strokeWidth={1.5} aria-hidden />
      </span>
      <p className={style.title}>{title}</p>
      {children ? <div className={style.words}>{children}</div> : null}
    </div>
  );
}
