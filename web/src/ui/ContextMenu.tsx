import { type ReactNode, useRef } from "react";
import { Menu as AriaMenu, Popover } from "react-aria-components";
import style from "./Menu.module.css";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The menu of something, where it was pressed. */
export function ContextMenu({
  at,
  close,
  label,
  children,
}: {
  at: Point | undefined;
  close: () => void;
  label: string;
  children: ReactNode;
}) {
  const place = useRef<HTMLSpanElement>(null);
  if (!at) return null;
  return (
    <>
      <span ref={place} className={style.point} style={{ left: at.x, top: at.y }} />
      <Popover
        className={style.popover ?? ""}
        triggerRef={place}
        isOpen
        onOpenChange={(open) => open || close()}
        placement="bottom start"
        aria-label={label}
        offset={2}
      >
        <AriaMenu className={style.menu ?? ""} aria-label={label} autoFocus="first" onClose={close}>
          {children}
        </AriaMenu>
      </Popover>
    </>
  );
}
