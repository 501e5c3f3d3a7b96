/** A sign-out that did not reach the server: whoever opens the page next must not be in. It is said again before
    anything else is asked. */
import { signOut } from "./auth.ts";

const LEAVING = "malleposte.leaving";

export const leaving = (): boolean => localStorage.getItem(LEAVING) === "1";

/** Sign out, now or as soon as the server can be reached. */
export async function leave(): Promise<void> {
  localStorage.setItem(LEAVING, "1");
  await signOut();
  localStorage.removeItem(LEAVING);
}

/** Somebody has signed in since. */
export function arrived(): void {
  localStorage.removeItem(LEAVING);
}
