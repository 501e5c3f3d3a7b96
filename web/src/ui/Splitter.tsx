import { type KeyboardEvent, type PointerEvent, useRef } from "react";
import style from "./Splitter.module.css";

export interface SplitterProps {
  label: string;
  /** Width of the pane before it, in pixels. */
  width: number;
  least: number;
  most: number;
  resize: (width: number) => void;
}

/** The line between two panes, moved by pointer or arrow keys; Home and End go to its ends. */
export function Splitter({ label, width, least, most, resize }: SplitterProps) {
  const from = useRef<{ x: number; width: number } | undefined>(undefined);
  const set = (to: number) => resize(Math.min(most, Math.max(least, Math.round(to))));

  function key(event: KeyboardEvent) {
    const step = event.shiftKey ? 48 : 16;
    const to = {
      ArrowLeft: width - step,
      ArrowRight: width + step,
      Home: least,
      End: most,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    set(to);
  }

  function down(event: PointerEvent) {
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, width };
  }

  function move(event: PointerEvent) {
    if (from.current) set(from.current.width + event.clientX - from.current.x);
  }

  return (
    // biome-ignore lint/a11y/useSemanticElements: a line that moves is no <hr>
    <div
      role="separator"
      aria-orientation="vertical"
      aria-label={label}
      aria-valuenow={width}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      className={style.splitter}
      onKeyDown={key}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => {
        from.current = undefined;
      }}
    />
  );
}
