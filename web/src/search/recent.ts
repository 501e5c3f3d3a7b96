/** What was searched for before, kept in this browser alone and forgotten on signing out. */

const KEPT = "malleposte.searches";
const MOST = 12;
const LONGEST = 200;

/** Searches, the last one first; what was kept by nobody of ours counts as nothing. */
export function read(kept: string | null): string[] {
  try {
    const found: unknown = JSON.parse(kept ?? "[]");
    if (!Array.isArray(found)) return [];
    return found
      .filter((one): one is string => typeof one === "string" && one !== "")
      .slice(0, MOST);
  } catch {
    return [];
  }
}

/** The searches with another one before them; each stands once. */
export function added(searches: readonly string[], text: string): string[] {
  const wanted = text.trim().slice(0, LONGEST);
  if (!wanted) return [...searches];
  const others = searches.filter((one) => one.toLowerCase() !== wanted.toLowerCase());
  return [wanted, ...others].slice(0, MOST);
}

export const recent = {
  get: (): string[] => read(localStorage.getItem(KEPT)),
  add: (text: string): void =>
    localStorage.setItem(KEPT, JSON.stringify(added(recent.get(), text))),
  remove: (text: string): void =>
    localStorage.setItem(KEPT, JSON.stringify(recent.get().filter((one) => one !== text))),
  forget: (): void => localStorage.removeItem(KEPT),
};
