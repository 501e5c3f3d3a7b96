/** Dates and sizes as a reader expects them. */
import { i18n } from "@lingui/core";

const made = new Map<string, Intl.DateTimeFormat>();

function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  // The reader's own country decides the order of a date, where its language is the one that is on.
  const own = navigator.languages.find((tag) => tag.startsWith(i18n.locale)) ?? i18n.locale;
  const key = own + JSON.stringify(options);
  let found = made.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(own, options);
    made.set(key, found);
  }
  return found;
}

/** How a row of a list says when: the time of today, the day of this year, else the whole date. */
export function shortDate(iso: string, now = new Date()): string {
  const date = new Date(iso);
  if (date.toDateString() === now.toDateString()) {
    return format({ hour: "numeric", minute: "2-digit" }).format(date);
  }
  if (
    date.getFullYear() === now.getFullYear() ||
    now.getTime() - date.getTime() < 182 * 86_400_000
  ) {
    return format({ day: "numeric", month: "short" }).format(date);
  }
  return format({ day: "2-digit", month: "2-digit", year: "numeric" }).format(date);
}

/** In full, for a message that is read. */
export function fullDate(iso: string): string {
  return format({
    weekday: "short",
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
  }).format(new Date(iso));
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

export function fileSize(octets: number): string {
  let [size, unit] = [octets, 0];
  while (size >= 1000 && unit < UNITS.length - 1) [size, unit] = [size / 1000, unit + 1];
  return new Intl.NumberFormat(i18n.locale, {
    style: "unit",
    unit: UNITS[unit] ?? "byte",
    unitDisplay: unit ? "short" : "long",
    maximumFractionDigits: size < 10 && unit ? 1 : 0,
  }).format(size);
}
