/** Where one is: the place that an address names, and the way to another. */
import { useSyncExternalStore } from "react";

export interface MailPlace {
  readonly at: "mail";
  /** A mailbox by its id, or "inbox" before it is known. */
  readonly mailbox: string;
  /** The message that is open, by its id. */
  readonly message?: string | undefined;
  /** What is looked for, where something is. */
  readonly search?: string | undefined;
}

export interface SettingsPlace {
  readonly at: "settings";
  readonly page: string;
}

export interface ContactsPlace {
  readonly at: "contacts";
  /** An address book by its id, "all" or "groups" of one's own. */
  readonly book: string;
  /** The card that is shown, by its id. */
  readonly card?: string | undefined;
}

export type Place = MailPlace | SettingsPlace | ContactsPlace;

const ID = /^[A-Za-z0-9_-]{1,255}$/;

/** The place of a path; the inbox where it names none. */
export function placeOf(path: string, query = ""): Place {
  const [, first, second, third] = path.split("/");
  if (first === "settings") return { at: "settings", page: second || "all" };
  if (first === "contacts") {
    const book = second && ID.test(second) ? second : "all";
    return { at: "contacts", book, card: third && ID.test(third) ? third : undefined };
  }
  const search = new URLSearchParams(query).get("q")?.trim() || undefined;
  const known = first === "mail" && second && ID.test(second);
  const message = known && third && ID.test(third) ? third : undefined;
  return { at: "mail", mailbox: known ? second : "inbox", message, search };
}

/** The address of a place. */
export function addressOf(place: Place): string {
  if (place.at === "settings") return `/settings/${place.page}`;
  if (place.at === "contacts") {
    return ["/contacts", place.book, place.card].filter(Boolean).join("/");
  }
  const path = ["/mail", place.mailbox, place.message].filter(Boolean).join("/");
  return place.search ? `${path}?q=${encodeURIComponent(place.search)}` : path;
}

const heards = new Set<() => void>();
let address = "";
let current: Place = { at: "mail", mailbox: "inbox" };

function look(): Place {
  const now = location.pathname + location.search;
  if (now !== address) {
    address = now;
    current = placeOf(location.pathname, location.search);
  }
  return current;
}

function subscribe(heard: () => void): () => void {
  heards.add(heard);
  addEventListener("popstate", heard);
  return () => {
    heards.delete(heard);
    removeEventListener("popstate", heard);
  };
}

/** Go to a place. `replace`: the way back does not lead here again. */
export function go(place: Place, how: "push" | "replace" = "push"): void {
  const to = addressOf(place);
  if (to === location.pathname + location.search) return;
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  for (const heard of [...heards]) heard();
}

export function usePlace(): Place {
  return useSyncExternalStore(subscribe, look);
}
