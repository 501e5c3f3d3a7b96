import { plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import {
  type DragEvent,
  type KeyboardEvent,
  type MouseEvent,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { Id, Role } from "../jmap/index.ts";
import { usePrefs } from "../prefs/index.ts";
import type { MessageList } from "../store/index.ts";
import { useRows } from "../ui/index.ts";
import type { Deeds } from "./deeds.ts";
import { useMedia } from "./hooks.ts";
import { ListRow } from "./ListRow.tsx";
import style from "./MessageGrid.module.css";
import { drag } from "./organise/dropping.ts";
import { useOrganise } from "./organise/Organise.tsx";
import { cleared, extended, moved, type Selection, toggled } from "./selection.ts";
import { useMail } from "./session.ts";

export interface MessageGridProps {
  list: MessageList;
  label: string;
  conversations: boolean;
  /** Whether it is what was searched for: rows say where they are, and show what was found. */
  found: boolean;
  outgoing: boolean;
  /** Of the mailbox that it is of. */
  role: Role | null;
  /** The row that is read. */
  open: Id | undefined;
  selection: Selection;
  select: (selection: Selection) => void;
  deeds: Deeds;
  read: (id: Id) => void;
}

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
  const { list, label, conversations, found, outgoing, role, open } = props;
  const { selection, select, deeds, read } = props;
  const { t } = useLingui();
  const { store } = useMail();
  const organise = useOrganise();
  const scroller = useRef<HTMLDivElement>(null);
  const height = useRowHeight();
  const count = list.length;
  const { first, end, show, page } = useRows(scroller, count, height);
  const { version } = list;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that changed may miss others
  useEffect(() => store.need(list, first, end), [store, list, first, end, version]);

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
    show(place);
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
    else show(to);
  }

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = cursor ? list.indexOf(cursor) : -1;
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

  /** What a press or a drag upon a row is about: all that is marked where that row is, too. */
  function meantBy(target: EventTarget): readonly Id[] {
    const id = (target as Element).closest<HTMLElement>("[data-id]")?.dataset.id;
    if (!id) return [];
    return selection.marked.has(id) ? [...selection.marked] : [id];
  }

  function menu(event: MouseEvent): void {
    const rows = meantBy(event.target);
    if (!rows.length) return;
    event.preventDefault();
    organise({ kind: "menu", rows, at: { x: event.clientX, y: event.clientY } });
  }

  function dragged(event: DragEvent): void {
    const rows = meantBy(event.target);
    if (!rows.length) return;
    drag(event.dataTransfer, rows, plural(rows.length, { one: "# row", other: "# rows" }));
  }

  const reachable = cursor && list.indexOf(cursor) >= 0 ? cursor : list.at(first);
  return (
    <div ref={scroller} className={style.scroller}>
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={count}
        aria-multiselectable
        aria-description={t`Enter opens a message, Space marks it`}
        className={style.grid}
        style={{ height: count * height }}
        onKeyDown={key}
        onContextMenu={menu}
        onDragStart={dragged}
      >
        {Array.from({ length: end - first }, (_, n) => {
          const index = first + n;
          const id = list.at(index);
          return (
            <ListRow
              key={id ?? index}
              id={id}
              index={index}
              top={index * height}
              conversations={conversations}
              found={found}
              snippet={id === undefined ? undefined : list.snippets.get(id)}
              outgoing={outgoing}
              role={role}
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
