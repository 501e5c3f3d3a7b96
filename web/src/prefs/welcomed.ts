/** Who was welcomed in this browser: each account once. "never" in place of them: nobody is, as where a browser is
    set up for others. */

const KEPT = "malleposte.welcomed";
const NEVER = "never";
const MOST = 50;

/** What is kept once this one was welcomed. */
export function withOne(kept: string | null, account: string): string {
  if (kept === NEVER) return NEVER;
  const others = (kept ?? "").split(" ").filter((one) => one && one !== account);
  return [...others, account].slice(-MOST).join(" ");
}

export function isAmong(kept: string | null, account: string): boolean {
  return kept === NEVER || (kept ?? "").split(" ").includes(account);
}

/** By the id of the account, which tells nobody whose it is. */
export const welcomed = {
  is: (account: string): boolean => isAmong(localStorage.getItem(KEPT), account),
  add(account: string): void {
    localStorage.setItem(KEPT, withOne(localStorage.getItem(KEPT), account));
  },
};
