/** Whether anything is kept in this browser beyond the page: not on a device that is somebody else's. */
const PASSING = "malleposte.passing";

/** What a browser keeps for a site; none where there is no browser. */
function kept(): Storage | undefined {
  return (globalThis as { localStorage?: Storage }).localStorage;
}

export function keeps(): boolean {
  return kept()?.getItem(PASSING) !== "1";
}

/** Said when somebody signs in. */
export function keepNothing(passing: boolean): void {
  if (passing) kept()?.setItem(PASSING, "1");
  else kept()?.removeItem(PASSING);
}

/** A database of what is kept; nothing where nothing is to be, or can be. */
export async function opened<T>(open: () => Promise<T>): Promise<T | undefined> {
  if (!keeps()) return undefined;
  return open().catch(() => undefined);
}
