/** Which rows of a list are seen: all rows are of one height, so that it is arithmetic, at any length. */
import { type RefObject, useCallback, useLayoutEffect, useState } from "react";

export interface Seen {
  /** The first row that is to be made. */
  readonly first: number;
  /** The first after them that is not. */
  readonly end: number;
}

/** Rows that are made beyond what is seen, on each side. */
const BEYOND = 4;

export function seen(top: number, room: number, height: number, count: number): Seen {
  const first = Math.max(0, Math.min(count, Math.floor(top / height)) - BEYOND);
  const end = Math.min(count, Math.ceil((top + room) / height) + BEYOND);
  return { first, end: Math.max(first, end) };
}

export interface Rows extends Seen {
  /** Bring a row into sight, with as little movement as that takes. */
  show(index: number): void;
  /** Rows that are seen at once, in full. */
  readonly page: number;
}

export function useRows(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  height: number,
): Rows {
  const [place, setPlace] = useState({ top: 0, room: 0 });

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const look = () => {
      // In steps of whole rows: what is between needs no other rows.
      const top = Math.floor(element.scrollTop / height) * height;
      const room = element.clientHeight;
      setPlace((now) => (now.top === top && now.room === room ? now : { top, room }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    return () => {
      element.removeEventListener("scroll", look);
      sizes.disconnect();
    };
  }, [scroller, height]);

  const show = useCallback(
    (index: number) => {
      const element = scroller.current;
      if (!element) return;
      const [top, bottom] = [index * height, (index + 1) * height];
      if (top < element.scrollTop) element.scrollTop = top;
      else if (bottom > element.scrollTop + element.clientHeight) {
        element.scrollTop = bottom - element.clientHeight;
      }
    },
    [scroller, height],
  );

  // Before anything was measured, what fits on most screens.
  const room = place.room || 1_000;
  return {
    ...seen(place.top, room + height, height, count),
    show,
    page: Math.max(1, Math.floor(room / height)),
  };
}
