import { useLingui } from "@lingui/react/macro";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Id } from "../jmap/index.ts";
import { usePrefs } from "../prefs/index.ts";
import type { MessageList } from "../store/index.ts";
import type { Deeds } from "./deeds.ts";
import { useMedia } from "./hooks.ts";
import { ListRow } from "./ListRow.tsx";
import style from "./MessageGrid.module.css";
import { cleared, extended, moved, type Selection, toggled } from "./selection.ts";
import { useMail } from "./session.ts";

export interface MessageGridProps {
  list: MessageList;
  label: string;
  conversations: boolean;
  outgoing: boolean;
  /** The row that is read. */
  open: Id | undefined;
  selection: Selection;
  select: (selection: Selection) => void;
  deeds: Deeds;
  read: (id: Id) => void;
}

/** Rows that are ready beyond what is seen. */
const BEYOND = 8;

/** Height of a row in pixels, as the density and the reader's font size have it. */
function useRowHeight(): number {
  const { density } = usePrefs();
  const phone = useMedia("(max-width: 640px)");
  const [height, setHeight] = useState(84);
  // biome-ignore lint/correctness/useExhaustiveDependencies: both change what the style says
  useLayoutEffect(() => {
    const root = getComputedStyle(document.documentElement);
    setHeight(Number.parseFloat(root.getPropertyValue("--row")) * Number.parseFloat(root.fontSize));
  }, [density, phone]);
  return height;
}

/** The list of messages: of any length, with only the rows made that are seen. Arrow keys, Home, End and the
    page keys move; Enter opens, Space marks, Shift marks on the way. */
export function MessageGrid(props: MessageGridProps) {
  const { list, label, conversations, outgoing, open, selection, select, deeds, read } = props;
  const { t } = useLingui();
  const { store } = useMail();
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const rows = useVirtualizer({
    count: list.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: BEYOND,
    getItemKey: (index) => list.at(index) ?? `#${index}`,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: all heights change with it
  useLayoutEffect(() => rows.measure(), [height]);

  const items = rows.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const { version } = list;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that changed may miss others
  useEffect(() => store.need(list, first, last + 1), [store, list, first, last, version]);

  const state = useRef({ selection, select, read });
  state.current = { selection, select, read };
  const press = useCallback(
    (id: Id, how: "open" | "mark" | "range") => {
      const now = state.current;
      if (how === "mark") now.select(toggled(now.selection, id));
      else if (how === "range") now.select(extended(now.selection, list, id));
      else {
        now.select(cleared(moved(now.selection, id)));
        now.read(id);
      }
    },
    [list],
  );

  // The keyboard follows the row that it is on, if it is in the list at all.
  const { cursor } = selection;
  // biome-ignore lint/correctness/useExhaustiveDependencies: only where another row was chosen
  useEffect(() => {
    const place = cursor ? list.indexOf(cursor) : -1;
    if (place < 0) return;
    rows.scrollToIndex(place);
    const frame = requestAnimationFrame(() => {
      const grid = scroller.current;
      if (!grid?.contains(document.activeElement)) return;
      grid.querySelector<HTMLElement>(`[data-id="${cursor}"]`)?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [cursor, list]);

  function focus(index: number, extend: boolean): void {
    const to = Math.max(0, Math.min(list.length - 1, index));
    const id = list.at(to);
    if (id) select(extend ? extended(selection, list, id) : moved(selection, id));
    // What is not there yet can be gone to again when it is.
    else rows.scrollToIndex(to);
  }

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = cursor ? list.indexOf(cursor) : -1;
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / height) - 1);
    const to = {
      ArrowDown: at + 1,
      ArrowUp: Math.max(0, at - 1),
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: list.length - 1,
    }[event.key];
    if (to !== undefined) focus(to, event.shiftKey);
    else if (event.key === "Enter" && cursor) press(cursor, "open");
    else if (event.key === " " && cursor) select(toggled(selection, cursor));
    else if (event.key === "Escape" && selection.marked.size) select(cleared(selection));
    else return;
    event.preventDefault();
  }

  const reachable = cursor && list.indexOf(cursor) >= 0 ? cursor : list.at(first);
  return (
    <div ref={scroller} className={style.scroller}>
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={list.length}
        aria-multiselectable
        aria-description={t`Enter opens a message, Space marks it`}
        className={style.grid}
        style={{ height: rows.getTotalSize() }}
        onKeyDown={key}
      >
        {items.map((item) => {
          const id = list.at(item.index);
          return (
            <ListRow
              key={item.key}
              id={id}
              index={item.index}
              top={item.start}
              conversations={conversations}
              outgoing={outgoing}
              open={id !== undefined && id === open}
              marked={id !== undefined && selection.marked.has(id)}
              marking={selection.marked.size > 0}
              reached={id !== undefined && id === reachable}
              deeds={deeds}
              press={press}
            />
          );
        })}
      </div>
    </div>
  );
}
