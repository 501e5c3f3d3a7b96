import { useLingui } from "@lingui/react/macro";
import { Users } from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { Id } from "../jmap/index.ts";
import { useRows } from "../ui/index.ts";
import style from "./CardRows.module.css";
import { inOrder, isGroup, titleOf, workOf } from "./card.ts";
import { useCards, useHere } from "./context.ts";
import { Face } from "./Face.tsx";
import type { CardList } from "./shelf.ts";

const HEIGHT = 60;

export interface CardRowsProps {
  list: CardList;
  label: string;
  account: Id;
  open: Id | undefined;
  read: (id: Id) => void;
}

/** Rows of any number, of which those are made that are seen. Arrow keys, Home, End and the page keys move,
    Enter opens. */
export function CardRows({ list, label, account, open, read }: CardRowsProps) {
  const { t } = useLingui();
  const { shelf } = useHere();
  useCards(list);
  const scroller = useRef<HTMLDivElement>(null);
  const count = list.length;
  const { first, end, show, page } = useRows(scroller, count, HEIGHT);
  const [cursor, setCursor] = useState<Id | undefined>(open);
  const { version } = list;
  const known = shelf.state === "ready";
  // biome-ignore lint/correctness/useExhaustiveDependencies: a list that changed may miss others
  useEffect(() => {
    if (known) list.need(first, end);
  }, [list, known, first, end, version]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only where another row was chosen
  useEffect(() => {
    const at = cursor ? list.indexOf(cursor) : -1;
    if (at < 0) return;
    show(at);
    const frame = requestAnimationFrame(() => {
      if (!scroller.current?.contains(document.activeElement)) return;
      scroller.current.querySelector<HTMLElement>(`[data-id="${cursor}"]`)?.focus({
        preventScroll: true,
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [cursor, list]);

  function key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = cursor ? list.indexOf(cursor) : -1;
    const to = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: count - 1,
    }[event.key];
    if (event.key === "Enter" && cursor) read(cursor);
    else if (to !== undefined) {
      const next = Math.max(0, Math.min(count - 1, to));
      const id = list.at(next);
      if (id) setCursor(id);
      else show(next);
    } else return;
    event.preventDefault();
  }

  const reachable = cursor && list.indexOf(cursor) >= 0 ? cursor : list.at(first);
  return (
    <div ref={scroller} className={style.scroller}>
      <div
        role="grid"
        aria-label={label}
        aria-rowcount={count}
        className={style.rows}
        style={{ height: count * HEIGHT }}
        onKeyDown={key}
      >
        {Array.from({ length: end - first }, (_, n) => {
          const index = first + n;
          const id = list.at(index);
          const card = id ? shelf.cards.get(id) : undefined;
          const place = { transform: `translateY(${index * HEIGHT}px)` };
          if (!id || !card) {
            return <div key={index} role="row" aria-rowindex={index + 1} style={place} />;
          }
          const below = isGroup(card)
            ? t`Group`
            : inOrder(card.emails)[0]?.address || inOrder(card.phones)[0]?.number || workOf(card);
          return (
            <div
              key={id}
              role="row"
              aria-rowindex={index + 1}
              aria-selected={id === open}
              data-id={id}
              tabIndex={id === reachable ? 0 : -1}
              className={style.row}
              data-open={id === open || undefined}
              style={place}
              onFocus={() => setCursor(id)}
              onClick={() => {
                setCursor(id);
                read(id);
              }}
            >
              <div role="gridcell" className={style.cell}>
                <Face card={card} account={account} />
                <span className={style.words}>
                  <span className={style.name}>{titleOf(card) || t`Without a name`}</span>
                  <span className={style.below}>{below}</span>
                </span>
                {isGroup(card) ? <Users size={16} aria-hidden className={style.sign} /> : null}
              </div>
            </div>
          );
        })}
      </div>
    </div>
  );
}
