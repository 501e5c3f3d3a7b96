/** What is being written, as components read it. */
import { useEffect, useState, useSyncExternalStore } from "react";
import type { Identity } from "../jmap/index.ts";
import type { Signal } from "../store/index.ts";
import type { Desk } from "./desk.ts";

/** Draws anew whenever it is told. */
export function useSignal(signal: Signal): void {
  useSyncExternalStore(signal.subscribe, () => signal.version);
}

export function useIdentities(desk: Desk): readonly Identity[] {
  const [found, setFound] = useState<readonly Identity[]>([]);
  useEffect(() => {
    let left = false;
    desk.server.identities().then(
      (all) => left || setFound(all),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [desk]);
  return found;
}

export function usePhone(): boolean {
  return useSyncExternalStore(
    (heard) => {
      PHONE.addEventListener("change", heard);
      return () => PHONE.removeEventListener("change", heard);
    },
    () => PHONE.matches,
  );
}

const PHONE = matchMedia("(max-width: 640px)");
