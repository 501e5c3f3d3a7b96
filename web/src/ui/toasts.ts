/** Short messages about what was done, with a way back; one at a time is looked at, so one is shown. */

export interface Toast {
  readonly id: number;
  readonly words: string;
  readonly action?: { readonly words: string; readonly run: () => void } | undefined;
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
  dismiss(id: number): void {
    if (shown?.id !== id) return;
    shown = undefined;
    tell();
  },
};
