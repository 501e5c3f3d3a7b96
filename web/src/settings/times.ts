/** How long ago something was, as one says it. */
import { fullDate, i18n } from "../i18n/index.ts";

const STEPS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** `at`: Unix seconds. */
export function ago(at: number, now = Date.now() / 1000): string {
  const past = Math.max(0, now - at);
  const [unit, length] = STEPS.find(([, seconds]) => past >= seconds) ?? ["minute", 60];
  const words = new Intl.RelativeTimeFormat(i18n.locale, { numeric: "auto" });
  return words.format(-Math.floor(past / length), unit);
}

export function inFull(at: number): string {
  return fullDate(new Date(at * 1000).toISOString());
}
