/** Short messages about what was done, each with its way back. */

export interface ToastAction {
  readonly words: string;
  readonly run: () => void;
  /** It leads somewhere, and takes nothing back. */
  readonly leads?: boolean;
}

export interface Toast {
  readonly id: number;
  readonly words: string;
  readonly action?: ToastAction | undefined;
}

/** How long one can be taken back. */
export const SHOWN = 10_000;

/** As many at once; whoever does more in so short a time sees what was done last. */
const MOST = 4;

let last = 0;
/** The oldest first. */
let shown: readonly Toast[] = [];
const heards = new Set<() => void>();

function tell(): void {
  for (const heard of heards) heard();
}

export const toasts = {
  subscribe(heard: () => void): () => void {
    heards.add(heard);
    return () => void heards.delete(heard);
  },
  all: (): readonly Toast[] => shown,
  show(words: string, action?: Toast["action"]): void {
    shown = [...shown, { id: ++last, words, action }].slice(-MOST);
    tell();
  },
  /** Take back what was done last and can be. */
  undo(): void {
    const newest = shown.findLast(({ action }) => action && !action.leads);
    if (!newest) return;
    this.dismiss(newest.id);
    newest.action?.run();
  },
  dismiss(id: number): void {
    shown = shown.filter((one) => one.id !== id);
    tell();
  },
};
