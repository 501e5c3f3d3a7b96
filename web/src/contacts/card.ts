/** What is shown of a card: its name, what stands below it, its mail addresses in their order. Pure. */
import type { Address, Card, CardAddress, NameComponent, Several } from "../jmap/index.ts";

const SPOKEN = ["title", "given", "given2", "surname", "surname2", "generation", "credential"];

function joined(components: readonly NameComponent[], order: readonly string[]): string {
  return components
    .filter(({ kind }) => order.includes(kind))
    .map(({ value }) => value.trim())
    .filter(Boolean)
    .join(" ");
}

/** Those of several, the preferred first (RFC 9553 §1.5.4); the others stay in their order. */
export function inOrder<T extends object>(several: Several<T> | null | undefined): T[] {
  const pref = (one: T) => (one as { pref?: number }).pref ?? 101;
  return Object.values(several ?? {})
    .filter((one) => typeof one === "object" && one !== null)
    .sort((a, b) => pref(a) - pref(b));
}

/** The name as people say it; "" where there is none. */
export function fullName({ name }: Pick<Card, "name">): string {
  return name?.full?.trim() || joined(name?.components ?? [], SPOKEN);
}

/** What a card is called: by its name, else by what else is known. "" where nothing is. */
export function titleOf(card: Card): string {
  return (
    fullName(card) ||
    inOrder(card.nicknames)[0]?.name ||
    inOrder(card.organizations)[0]?.name ||
    inOrder(card.emails)[0]?.address ||
    inOrder(card.phones)[0]?.number ||
    ""
  );
}

/** What somebody is, and where. */
export function workOf(card: Card): string {
  const title = inOrder(card.titles)[0]?.name;
  const [first] = inOrder(card.organizations);
  const place = [first?.name, ...(first?.units ?? []).map(({ name }) => name)].filter(Boolean);
  return [title, place.join(", ")].filter(Boolean).join(" · ");
}

export const isGroup = ({ kind }: Pick<Card, "kind">): boolean => kind === "group";

/** To whom mail goes that is for this card; undefined where it has no address. */
export function addressOf(card: Card): Address | undefined {
  const [first] = inOrder(card.emails);
  const email = first?.address?.trim();
  return email ? { name: fullName(card) || null, email } : undefined;
}

const STREET = ["number", "name", "block", "building", "floor", "apartment", "room", "landmark"];
const TOWN = ["postcode", "locality"];

/** A postal address in lines. */
export function addressLines(address: CardAddress): string[] {
  if (address.full) return address.full.split(/\r?\n/).filter((line) => line.trim());
  const parts = address.components ?? [];
  const line = (kinds: readonly string[]) => joined(parts, kinds);
  const lines = [line(["postOfficeBox"]), line(STREET), line(["district", "subdistrict"])];
  return [...lines, line(TOWN), line(["region"]), line(["country"])].filter(Boolean);
}

/** A date as year, month and day, of which some may be unknown. */
export function dateOf(date: {
  year?: number;
  month?: number;
  day?: number;
  utc?: string;
}): { text: Date; withYear: boolean } | undefined {
  if (date.utc) return { text: new Date(date.utc), withYear: true };
  if (!date.month || !date.day) return undefined;
  // A leap year, so that the 29th of February is one.
  return {
    text: new Date(Date.UTC(date.year ?? 2000, date.month - 1, date.day)),
    withYear: Boolean(date.year),
  };
}

/** The photo of a card. */
export function photoOf(card: Card) {
  return inOrder(card.media).find(({ kind }) => kind === "photo");
}

/** A uri that may be opened: of the web, mail or a telephone, and nothing else. */
export function safeUri(uri: string | undefined): string | undefined {
  return uri && /^(?:https?:\/\/|mailto:|tel:|xmpp:|sip:)/i.test(uri) ? uri : undefined;
}
