/** Moments at which people have mail sent later. Pure. */

const MORNING = 8;
const EVENING = 18;

export type Preset = "evening" | "tomorrow" | "monday";

/** Those that lie far enough ahead, the next first. */
export function presets(now: Date): [Preset, Date][] {
  const at = (days: number, hour: number) =>
    new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, hour);
  const untilMonday = (8 - now.getDay()) % 7 || 7;
  const found: [Preset, Date][] = [["tomorrow", at(1, MORNING)]];
  if (now.getHours() < EVENING - 1) found.unshift(["evening", at(0, EVENING)]);
  if (untilMonday > 1) found.push(["monday", at(untilMonday, MORNING)]);
  return found;
}

/** As a field for a date and a time writes it, in the time of this place. */
export function local(date: Date): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}
