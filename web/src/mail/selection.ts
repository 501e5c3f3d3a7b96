/** Which rows are marked, and on which one the keyboard is. Rows are known by id, since their places change. */
import type { Id } from "../jmap/index.ts";

export interface Selection {
  /** The row that has the focus, or had it. */
  readonly cursor: Id | undefined;
  readonly marked: ReadonlySet<Id>;
  /** Where a range begins. */
  readonly anchor: Id | undefined;
}

export const NOTHING: Selection = { cursor: undefined, marked: new Set(), anchor: undefined };

/** Of a list, what is needed here. */
export interface Rows {
  readonly length: number;
  at(index: number): Id | undefined;
  indexOf(id: Id): number;
}

export function moved(selection: Selection, to: Id): Selection {
  if (selection.cursor === to && selection.anchor === to) return selection;
  return { ...selection, cursor: to, anchor: to };
}

/** Mark a row, or take its mark away. */
export function toggled(selection: Selection, id: Id): Selection {
  const marked = new Set(selection.marked);
  if (!marked.delete(id)) marked.add(id);
  return { cursor: id, marked, anchor: id };
}

/** Mark all from where the range begins up to a row; what is not known between is left out. */
export function extended(selection: Selection, rows: Rows, to: Id): Selection {
  const from = selection.anchor ?? selection.cursor ?? to;
  const [a, b] = [rows.indexOf(from), rows.indexOf(to)];
  if (a < 0 || b < 0) return toggled(selection, to);
  const marked = new Set(selection.marked);
  for (let index = Math.min(a, b); index <= Math.max(a, b); index++) {
    const id = rows.at(index);
    if (id) marked.add(id);
  }
  return { cursor: to, marked, anchor: from };
}

export function cleared(selection: Selection): Selection {
  return selection.marked.size ? { ...selection, marked: new Set() } : selection;
}

/** The row that an action is about: the marked ones, else the one given. */
export function meant(selection: Selection, fallback: Id | undefined): readonly Id[] {
  if (selection.marked.size) return [...selection.marked];
  return fallback ? [fallback] : [];
}

/** The nearest row that stays when others go: the one after them, else the one before. */
export function neighbour(rows: Rows, going: readonly Id[], from: Id): Id | undefined {
  const gone = new Set(going);
  const at = rows.indexOf(from);
  if (at < 0) return undefined;
  for (let index = at + 1; index < rows.length; index++) {
    const id = rows.at(index);
    if (!id) break;
    if (!gone.has(id)) return id;
  }
  for (let index = at - 1; index >= 0; index--) {
    const id = rows.at(index);
    if (!id) break;
    if (!gone.has(id)) return id;
  }
  return undefined;
}
