/** Senders whose pictures are shown without asking; kept in this browser until signing out. */
import { useSyncExternalStore } from "react";

const KEPT = "malleposte.pictures";
const MOST = 1_000;

/** What was kept, as far as it makes sense still. */
export function read(text: string | null): readonly string[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    if (Array.isArray(found)) return found.filter((one) => typeof one === "string").slice(-MOST);
  } catch {
    // Kept by nobody of ours.
  }
  return [];
}

let current: readonly string[] | undefined;
const heards = new Set<() => void>();

function all(): readonly string[] {
  current ??= read(localStorage.getItem(KEPT));
  return current;
}

function keep(now: readonly string[]): void {
  current = now;
  if (now.length) localStorage.setItem(KEPT, JSON.stringify(now));
  else localStorage.removeItem(KEPT);
  for (const heard of heards) heard();
}

export const trusted = {
  add(address: string): void {
    keep([...without(address), address.toLowerCase()].slice(-MOST));
  },
  remove(address: string): void {
    keep(without(address));
  },
  forget(): void {
    keep([]);
  },
};

function without(address: string): string[] {
  return all().filter((one) => one !== address.toLowerCase());
}

export function useTrusted(address: string): boolean {
  const known = useSyncExternalStore(
    (heard) => {
      heards.add(heard);
      return () => void heards.delete(heard);
    },
    () => all(),
  );
  return Boolean(address) && known.includes(address.toLowerCase());
}
