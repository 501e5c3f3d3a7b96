/** Short messages about what was done, with a way back; one at a time is looked at, so one is shown. */

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

let last = 0;
let shown: Toast | undefined;
const heards = new Set<() => void>();

function tell(): void {
  for (const heard of heards) heard();
}

export const toasts = {
  subscribe(heard: () => void): () => void {
    heards.add(heard);
    return () => void heards.delete(heard);
  },
  current: (): Toast | undefined => shown,
  show(words: string, action?: Toast["action"]): void {
    shown = { id: ++last, words, action };
    tell();
  },
  /** Take back what the one that is shown speaks of, where that can be. */
  undo(): void {
    const { action } = shown ?? {};
    if (!action || action.leads) return;
    shown = undefined;
    tell();
    action.run();
  },
  dismiss(id: number): void {
    if (shown?.id !== id) return;
    shown = undefined;
    tell();
  },
};
