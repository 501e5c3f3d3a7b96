import type { LucideIcon } from "lucide-react";
import type { ReactNode, Ref } from "react";
import { Button as AriaButton, type ButtonProps as AriaProps } from "react-aria-components";
import style from "./Button.module.css";
import { classes } from "./classes.ts";
import { Tooltip } from "./Tooltip.tsx";

type Plain = Omit<AriaProps, "className" | "style" | "children">;

export interface ButtonProps extends Plain {
  kind?: "primary" | "plain" | "quiet" | "danger";
  wide?: boolean;
  icon?: LucideIcon;
  children: ReactNode;
}

/** A button with words. One primary button a screen. */
export function Button({ kind = "plain", wide, icon: Icon, children, ...rest }: ButtonProps) {
  return (
    <AriaButton {...rest} className={classes(style.button, style[kind], wide && style.wide)}>
      {Icon ? <Icon size={17} aria-hidden /> : null}
      <span className={style.words}>{children}</span>
    </AriaButton>
  );
}

export interface IconButtonProps extends Plain {
  icon: LucideIcon;
  /** What it does, read out and shown as a tooltip. */
  label: string;
  /** The key that does the same, shown beside the label. */
  shortcut?: string;
  pressed?: boolean;
  tone?: "star" | undefined;
  ref?: Ref<HTMLButtonElement>;
}

/** A symbol alone; its words are in the tooltip. */
export function IconButton({
  icon: Icon,
  label,
  shortcut,
  pressed,
  tone,
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip text={label} shortcut={shortcut}>
      <AriaButton
        {...rest}
        aria-label={label}
        aria-pressed={pressed}
        className={classes(style.icon, pressed && style.pressed, tone === "star" && style.star)}
      >
        <Icon size={18} aria-hidden />
      </AriaButton>
    </Tooltip>
  );
}
