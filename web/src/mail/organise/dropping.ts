/** Messages that are dragged onto a folder or a label. */
import type { Id, Mailbox, MailLabel } from "../../jmap/index.ts";

const KIND = "application/x-malleposte-rows";

export type Target = { readonly mailbox: Mailbox } | { readonly label: MailLabel };

type Dropped = (rows: readonly Id[], on: Target) => void;

let told: Dropped | undefined;

/** Whoever shows the list is told what was dropped, until the function returned is called. */
export function onDropped(dropped: Dropped): () => void {
  told = dropped;
  return () => {
    if (told === dropped) told = undefined;
  };
}

/** Begin to drag rows; `words` are shown beside the pointer. */
export function drag(data: DataTransfer, rows: readonly Id[], words: string): void {
  data.setData(KIND, JSON.stringify(rows));
  data.effectAllowed = "move";
  const shown = document.createElement("div");
  shown.className = "dragged";
  shown.textContent = words;
  document.body.append(shown);
  data.setDragImage(shown, -12, -8);
  setTimeout(() => shown.remove());
}

export function isRows(data: DataTransfer): boolean {
  return data.types.includes(KIND);
}

export function drop(data: DataTransfer, on: Target): void {
  const rows = JSON.parse(data.getData(KIND) || "[]") as Id[];
  if (rows.length) told?.(rows, on);
}
