/** What the parts of contacts have in common. */
import { createContext, useCallback, useContext, useSyncExternalStore } from "react";
import type { Address, Card, Id } from "../jmap/index.ts";
import type { Form } from "./form.ts";
import type { CardList, Shelf } from "./shelf.ts";

/** What is edited: a card that is there, or one that is to be made. */
export interface Editing {
  readonly account: Id;
  readonly book: Id;
  readonly group: boolean;
  readonly card?: Card;
  /** What was typed before, where one goes on. */
  readonly form?: Form;
  readonly members?: readonly Card[];
  /** Members as they were chosen before, where one goes on. */
  readonly chosen?: readonly Card[];
}

export interface Here {
  readonly shelf: Shelf;
  /** Begin a message to somebody. */
  readonly write: (to: readonly Address[]) => void;
  readonly edit: (what: Editing) => void;
}

export const HereContext = createContext<Here | undefined>(undefined);

/** Draws anew whenever books or what is known of cards changes. */
export function useHere(): Here {
  const here = useContext(HereContext);
  if (!here) throw new Error("useHere is for what is within Contacts");
  useSyncExternalStore(here.shelf.subscribe, () => here.shelf.version);
  return here;
}

export function useCards(list: CardList): void {
  useSyncExternalStore(list.subscribe, () => list.version);
}

const ROOMY = "(min-width: 1000px)";
const PHONE = "(max-width: 640px)";

function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (heard: () => void) => {
      const list = matchMedia(query);
      list.addEventListener("change", heard);
      return () => list.removeEventListener("change", heard);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => matchMedia(query).matches);
}

export const useRoomy = (): boolean => useMedia(ROOMY);
export const usePhone = (): boolean => useMedia(PHONE);
