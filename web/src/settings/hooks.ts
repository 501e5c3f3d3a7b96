/** What pages have in common: what they show comes from the server, and what is done may be refused. */
import { useLingui } from "@lingui/react/macro";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { MethodError, RequestError } from "../jmap/index.ts";
import { AuthError, wordsOf } from "../signin/index.ts";
import { useEnded } from "./session.ts";

/** What a page shows: nothing while it is on its way, "away" where it cannot be had; and look again. */
export function useLoaded<T>(load: () => Promise<T>): [T | "away" | undefined, () => void] {
  const [found, setFound] = useState<T | "away">();
  const [times, setTimes] = useState(0);
  const ended = useEnded();
  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at again on demand
  useEffect(() => {
    let left = false;
    load().then(
      (loaded) => left || setFound(() => loaded),
      (error: unknown) => {
        if (left) return;
        ended(error);
        setFound("away");
      },
    );
    return () => {
      left = true;
    };
  }, [load, times]);
  return [found, useCallback(() => setTimes((before) => before + 1), [])];
}

export interface Tried {
  readonly busy: boolean;
  /** Why the last attempt failed, in words. */
  readonly trouble: string;
  /** Whether it worked. */
  run(attempt: () => Promise<unknown>): Promise<boolean>;
  forget(): void;
}

/** An attempt at something, one at a time. `wrong`, `exists`: as for `wordsOf`. */
export function useTried(wrong = "", exists?: string): Tried {
  const { t, i18n } = useLingui();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const ended = useEnded();

  function said(error: unknown): string {
    if (error instanceof AuthError) return wordsOf(error, i18n, wrong, exists);
    if (error instanceof RequestError) {
      return wordsOf(new AuthError(error.trouble === "offline" ? "offline" : "away"), i18n, wrong);
    }
    if (error instanceof MethodError && error.type === "stateMismatch") {
      return t`This was changed elsewhere meanwhile. Load the page again to see it.`;
    }
    if (error instanceof MethodError) return error.message;
    throw error;
  }

  async function run(attempt: () => Promise<unknown>): Promise<boolean> {
    if (busy) return false;
    setBusy(true);
    setTrouble("");
    try {
      await attempt();
      return true;
    } catch (error) {
      ended(error);
      // Whoever closed the question knows that nothing was done.
      if (!(error instanceof AuthError && error.error === "broken-off")) setTrouble(said(error));
      return false;
    } finally {
      setBusy(false);
    }
  }
  return { busy, trouble, run, forget: () => setTrouble("") };
}

const NARROW = "(max-width: 760px)";

/** Whether the subjects and a page have no room beside each other. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (heard) => {
      const query = matchMedia(NARROW);
      query.addEventListener("change", heard);
      return () => query.removeEventListener("change", heard);
    },
    () => matchMedia(NARROW).matches,
  );
}
