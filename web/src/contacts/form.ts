/** What a person types about somebody, made of a card and put into it again: what the form does not show stays as
    it is. Pure. */
import type { AddressBook, Card, CardAddress, Id, NameComponent, Several } from "../jmap/index.ts";
import { fullName } from "./card.ts";

export type Where = "" | "private" | "work" | "mobile" | "fax";

export interface Line {
  readonly key: string;
  readonly value: string;
  readonly where: Where;
}

export const POSTAL = ["street", "postcode", "locality", "region", "country"] as const;
export type PostalPart = (typeof POSTAL)[number];
export interface Postal extends Readonly<Record<PostalPart, string>> {
  readonly key: string;
  readonly where: Where;
}

export interface Photo {
  readonly blobId: Id;
  readonly mediaType: string;
}

export interface Form {
  readonly given: string;
  readonly surname: string;
  readonly organisation: string;
  readonly title: string;
  readonly emails: readonly Line[];
  readonly phones: readonly Line[];
  readonly links: readonly Line[];
  readonly addresses: readonly Postal[];
  readonly birthday: string;
  readonly note: string;
  /** Another than there was; null: none any more. */
  readonly photo: Photo | null | undefined;
  readonly book: Id;
}

type Loose = Record<string, unknown>;

const STREET = ["number", "name", "block", "building", "floor", "apartment", "room"];

const first = <T>(several: Several<T> | null | undefined): [string, T] | undefined =>
  Object.entries(several ?? {})[0];

function part(components: readonly NameComponent[] | undefined, kinds: readonly string[]): string {
  const found = (components ?? []).filter(({ kind }) => kinds.includes(kind));
  return found.map(({ value }) => value).join(" ");
}

export function whereOf(one: {
  contexts?: Readonly<Record<string, boolean>>;
  features?: Readonly<Record<string, boolean>>;
}): Where {
  if (one.features?.mobile) return "mobile";
  if (one.features?.fax) return "fax";
  return one.contexts?.private ? "private" : one.contexts?.work ? "work" : "";
}

function lines<T extends object>(
  several: Several<T> | null | undefined,
  value: (one: T) => string | undefined,
): Line[] {
  return Object.entries(several ?? {}).map(([key, one]) => ({
    key,
    value: value(one) ?? "",
    where: whereOf(one),
  }));
}

function postal([key, one]: [string, CardAddress]): Postal {
  const { components } = one;
  const whole = components?.length ? "" : (one.full ?? "").replace(/\s*\r?\n\s*/g, ", ");
  return {
    key,
    where: whereOf(one),
    street: whole || part(components, STREET),
    postcode: part(components, ["postcode"]),
    locality: part(components, ["locality"]),
    region: part(components, ["region"]),
    country: part(components, ["country"]),
  };
}

function birth(card: Partial<Card>): [string, string] | undefined {
  for (const [key, { kind, date }] of Object.entries(card.anniversaries ?? {})) {
    const { year, month, day } = date ?? {};
    if (kind !== "birth" || !year || !month || !day) continue;
    const two = (n: number) => String(n).padStart(2, "0");
    return [key, `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`];
  }
  return undefined;
}

/** The form of a card, or of one that is to be made. */
export function formOf(card: Partial<Card>, book: Id): Form {
  const components = card.name?.components;
  const parts = Boolean(components?.length);
  return {
    given: parts ? part(components, ["given"]) : fullName(card),
    surname: parts ? part(components, ["surname"]) : "",
    organisation: first(card.organizations)?.[1].name ?? "",
    title: first(card.titles)?.[1].name ?? "",
    emails: lines(card.emails, ({ address }) => address),
    phones: lines(card.phones, ({ number }) => number),
    links: lines(card.links, ({ uri }) => uri),
    addresses: Object.entries(card.addresses ?? {}).map(postal),
    birthday: birth(card)?.[1] ?? "",
    note: first(card.notes)?.[1].note ?? "",
    photo: undefined,
    book: Object.keys(card.addressBookIds ?? {})[0] ?? book,
  };
}

/** A key that a thing of a card can have beside those that are there. */
export function freshKey(taken: readonly { readonly key: string }[]): string {
  let number = taken.length + 1;
  while (taken.some(({ key }) => key === `N${number}`)) number += 1;
  return `N${number}`;
}

const orNull = (found: Loose): Loose | null => (Object.keys(found).length ? found : null);

/** A thing with another place of use: what else it is used for stays. */
function placed(one: Loose, where: Where): Loose {
  if (whereOf(one) === where) return one;
  const { contexts, features, ...rest } = one as { contexts?: Loose; features?: Loose };
  const { private: _home, work: _work, ...used } = contexts ?? {};
  const { mobile: _mobile, fax: _fax, ...able } = features ?? {};
  if (where === "private" || where === "work") used[where] = true;
  if (where === "mobile" || where === "fax") able[where] = true;
  const put = { ...(orNull(used) && { contexts: used }), ...(orNull(able) && { features: able }) };
  return { ...rest, ...put };
}

function several<T extends object>(
  before: Several<T> | null | undefined,
  given: readonly Line[],
  name: string,
): Loose | null {
  const found: Loose = {};
  for (const { key, value, where } of given) {
    const one = (before?.[key] ?? {}) as Loose;
    if (value.trim()) found[key] = placed({ ...one, [name]: value.trim() }, where);
  }
  return orNull(found);
}

function postals(card: Partial<Card>, form: Form): Loose | null {
  const found: Loose = {};
  for (const line of form.addresses) {
    const before = card.addresses?.[line.key];
    const old = before && postal([line.key, before]);
    if (before && old && POSTAL.every((name) => old[name] === line[name])) {
      found[line.key] = placed(before as unknown as Loose, line.where);
      continue;
    }
    const managed = [...STREET, ...POSTAL] as readonly string[];
    const components = (before?.components ?? []).filter(({ kind }) => !managed.includes(kind));
    for (const name of POSTAL) {
      const value = line[name].trim();
      if (value) components.push({ kind: name === "street" ? "name" : name, value });
    }
    const { full: _, ...rest } = (before ?? {}) as Loose;
    if (components.length) found[line.key] = placed({ ...rest, components }, line.where);
  }
  return orNull(found);
}

function nameOf(card: Partial<Card>, form: Form): Loose | null {
  const [given, surname] = [form.given.trim(), form.surname.trim()];
  const others = (card.name?.components ?? []).filter(
    ({ kind }) => kind !== "given" && kind !== "surname",
  );
  const ahead = others.filter(({ kind }) => kind === "title");
  const behind = others.filter(({ kind }) => kind !== "title");
  const middle = behind.filter(({ kind }) => kind === "given2");
  const last = behind.filter(({ kind }) => kind !== "given2");
  const components = [
    ...ahead,
    ...(given ? [{ kind: "given", value: given }] : []),
    ...middle,
    ...(surname ? [{ kind: "surname", value: surname }] : []),
    ...last,
  ];
  if (!components.length) return null;
  const full = components.map(({ value }) => value).join(" ");
  return { ...(card.name as Loose | undefined), components, full, isOrdered: true };
}

/** The first of several with another text, or without it. */
function one(before: Several<object> | null | undefined, name: string, value: string) {
  const [key, had] = first(before) ?? ["N1", {}];
  const rest = { ...(before as Loose | undefined) };
  if (value.trim()) rest[key] = { ...had, [name]: value.trim() };
  else if (name === "name" && "units" in had) rest[key] = { ...had, name: undefined };
  else delete rest[key];
  return orNull(rest);
}

function birthdays(card: Partial<Card>, value: string): Loose | null {
  const [key] = birth(card) ?? [freshKey(Object.keys(card.anniversaries ?? {}).map(keyed))];
  const rest = { ...(card.anniversaries as Loose | undefined) };
  const [year, month, day] = value.split("-").map(Number);
  if (!value) delete rest[key];
  else rest[key] = { kind: "birth", date: { "@type": "PartialDate", year, month, day } };
  return orNull(rest);
}

const keyed = (key: string) => ({ key });

function media(card: Partial<Card>, photo: Photo | null): Loose | null {
  const rest = Object.fromEntries(
    Object.entries(card.media ?? {}).filter(([, { kind }]) => kind !== "photo"),
  ) as Loose;
  if (photo) rest[freshKey(Object.keys(rest).map(keyed))] = { kind: "photo", ...photo };
  return orNull(rest);
}

/** What of a card is another than before, as whole properties; nothing where it stays as it is. */
export function patchOf(card: Partial<Card>, form: Form, book: Id): Record<string, unknown> {
  const before = formOf(card, book);
  const patch: Record<string, unknown> = {};
  const changed = (...names: (keyof Form)[]) =>
    names.some((name) => JSON.stringify(before[name]) !== JSON.stringify(form[name]));
  if (changed("given", "surname")) patch.name = nameOf(card, form);
  if (changed("organisation"))
    patch.organizations = one(card.organizations, "name", form.organisation);
  if (changed("title")) patch.titles = one(card.titles, "name", form.title);
  if (changed("emails")) patch.emails = several(card.emails, form.emails, "address");
  if (changed("phones")) patch.phones = several(card.phones, form.phones, "number");
  if (changed("links")) patch.links = several(card.links, form.links, "uri");
  if (changed("addresses")) patch.addresses = postals(card, form);
  if (changed("birthday")) patch.anniversaries = birthdays(card, form.birthday);
  if (changed("note")) patch.notes = one(card.notes, "note", form.note);
  if (form.photo !== undefined) patch.media = media(card, form.photo);
  if (changed("book")) patch.addressBookIds = { [form.book]: true };
  return patch;
}

/** What takes a patch back. */
export function inverse(card: Card, patch: Readonly<Record<string, unknown>>) {
  const had = card as unknown as Readonly<Record<string, unknown>>;
  return Object.fromEntries(Object.keys(patch).map((name) => [name, had[name] ?? null]));
}

/** Where a new card goes: the book that is looked at, else the account's own first choice. */
export function bookFor<B extends AddressBook & { account: Id }>(
  books: readonly B[],
  at: string,
  own: Id,
): B | undefined {
  const may = books.filter(({ myRights }) => myRights.mayWrite);
  const here = may.find(({ id }) => id === at);
  const mine = may.filter(({ account }) => account === own);
  return here ?? mine.find(({ isDefault }) => isDefault) ?? mine[0];
}
