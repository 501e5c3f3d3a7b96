import type { ReactElement } from "react";
import { Tooltip as AriaTooltip, TooltipTrigger } from "react-aria-components";
import style from "./Tooltip.module.css";

export interface TooltipProps {
  text: string;
  shortcut?: string | undefined;
  children: ReactElement;
}

/** Words for a symbol: at once under the keyboard's focus, after a moment under the pointer. */
export function Tooltip({ text, shortcut, children }: TooltipProps) {
  return (
    <TooltipTrigger delay={600} closeDelay={80}>
      {children}
      <AriaTooltip className={style.tooltip ?? ""} offset={6}>
        {text}
        {shortcut ? <kbd className={style.key}>{shortcut}</kbd> : null}
      </AriaTooltip>
    </TooltipTrigger>
  );
}
