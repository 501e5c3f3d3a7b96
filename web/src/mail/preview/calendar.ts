/** The event of an invitation (RFC 5545, RFC 5546), as far as a card of it needs. */

export interface Moment {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A day without a time. */
  readonly day: boolean;
  /** The zone it was written in, where it is a known one (IANA). */
  readonly zone: string | undefined;
  /** What it was written in, where nobody knows what that is. */
  readonly unknown: string | undefined;
}

export interface Event {
  readonly summary: string;
  readonly start: Moment;
  readonly end: Moment | undefined;
  readonly location: string;
  readonly organizer: string;
  readonly attendees: number;
  readonly repeats: boolean;
  readonly cancelled: boolean;
}

interface Line {
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly value: string;
}

const MOST_LINES = 5_000;
const DAY = 86_400_000;
/** Names of zones in programs of Microsoft. */
const WINDOWS: Readonly<Record<string, string>> = {
  "greenwich standard time": "Atlantic/Reykjavik",
  "gmt standard time": "Europe/London",
  "w. europe standard time": "Europe/Berlin",
  "romance standard time": "Europe/Paris",
  "central europe standard time": "Europe/Budapest",
  "central european standard time": "Europe/Warsaw",
  "e. europe standard time": "Europe/Chisinau",
  "gtb standard time": "Europe/Bucharest",
  "fle standard time": "Europe/Kiev",
  "turkey standard time": "Europe/Istanbul",
  "russian standard time": "Europe/Moscow",
  "israel standard time": "Asia/Jerusalem",
  "arabian standard time": "Asia/Dubai",
  "india standard time": "Asia/Kolkata",
  "china standard time": "Asia/Shanghai",
  "singapore standard time": "Asia/Singapore",
  "tokyo standard time": "Asia/Tokyo",
  "aus eastern standard time": "Australia/Sydney",
  "new zealand standard time": "Pacific/Auckland",
  "atlantic standard time": "America/Halifax",
  "eastern standard time": "America/New_York",
  "central standard time": "America/Chicago",
  "mountain standard time": "America/Denver",
  "us mountain standard time": "America/Phoenix",
  "pacific standard time": "America/Los_Angeles",
  "e. south america standard time": "America/Sao_Paulo",
};

/** The first event of a calendar; nothing where there is none that has a beginning. */
export function eventOf(text: string): Event | undefined {
  const all = lines(text);
  const begin = all.findIndex((one) => is(one, "BEGIN", "VEVENT"));
  if (begin < 0) return undefined;
  const own: Line[] = [];
  let depth = 0;
  for (const line of all.slice(begin + 1)) {
    // What is within, such as an alarm, has properties of the same names.
    if (line.name === "BEGIN") depth += 1;
    else if (line.name === "END" && depth-- === 0) break;
    else if (!depth) own.push(line);
  }
  const first = (name: string) => own.find((one) => one.name === name);
  const start = momentOf(first("DTSTART"));
  if (!start) return undefined;
  const organizer = first("ORGANIZER");
  return {
    summary: words(first("SUMMARY")?.value ?? ""),
    start,
    end: momentOf(first("DTEND")) ?? after(start, first("DURATION")?.value ?? ""),
    location: words(first("LOCATION")?.value ?? ""),
    organizer: organizer?.parameters.CN ?? organizer?.value.replace(/^mailto:/i, "") ?? "",
    attendees: own.filter((one) => one.name === "ATTENDEE").length,
    repeats: Boolean(first("RRULE")),
    cancelled:
      first("STATUS")?.value.toUpperCase() === "CANCELLED" ||
      all.some((one) => is(one, "METHOD", "CANCEL")),
  };
}

const is = (line: Line, name: string, value: string) =>
  line.name === name && line.value.trim().toUpperCase() === value;

/** RFC 5545 §3.1. */
function lines(text: string): Line[] {
  const found: Line[] = [];
  for (const line of text.replace(/\r?\n[ \t]/g, "").split(/\r?\n/, MOST_LINES)) {
    const match =
      /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)$/.exec(
        line,
      );
    if (!match) continue;
    const parameters: Record<string, string> = {};
    for (const [, name, quoted, plain] of (match[2] ?? "").matchAll(
      /;([A-Za-z0-9-]+)=(?:"([^"]*)"|([^";:]*))/g,
    )) {
      parameters[(name ?? "").toUpperCase()] = quoted ?? plain ?? "";
    }
    found.push({ name: (match[1] ?? "").toUpperCase(), parameters, value: match[3] ?? "" });
  }
  return found;
}

/** RFC 5545 §3.3.11. */
function words(value: string): string {
  return value
    .replace(/\\([\\;,nN])/g, (_, one: string) => (/n/i.test(one) ? "\n" : one))
    .trim()
    .slice(0, 1_000);
}

function momentOf(line: Line | undefined): Moment | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z)?)?$/.exec(line?.value.trim() ?? "");
  if (!line || !match) return undefined;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((one) => Number(one ?? 0)) as [number, number, number, number, number, number];
  const written = Date.UTC(year, month - 1, day, hour, minute, second);
  if (match[4] === undefined) {
    return { at: written, day: true, zone: "UTC", unknown: undefined };
  }
  if (match[7]) return { at: written, day: false, zone: "UTC", unknown: undefined };
  const named = line.parameters.TZID ?? "";
  const zone = zoneOf(named);
  if (zone) return { at: inZone(written, zone), day: false, zone, unknown: undefined };
  // A time on whoever's clock.
  const own = new Date(year, month - 1, day, hour, minute, second).getTime();
  return { at: own, day: false, zone: undefined, unknown: named || undefined };
}

/** The zone of a name, where there is such a one. */
export function zoneOf(name: string): string | undefined {
  const plain = name.replace(/^\/[^/]+\/(?:[^/]+_\d+\/)?/, "").trim();
  const zone = WINDOWS[plain.toLowerCase()] ?? plain;
  if (!zone) return undefined;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** When a clock in a zone shows what is written, which is given as if it were UTC. */
function inZone(written: number, zone: string): number {
  const shown = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const offset = (at: number) => {
    const part = Object.fromEntries(
      shown.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
    );
    const clock = Date.UTC(
      part.year ?? 0,
      (part.month ?? 1) - 1,
      part.day ?? 1,
      part.hour ?? 0,
      part.minute ?? 0,
      part.second ?? 0,
    );
    return clock - at;
  };
  // Where the clock changed meanwhile, the second look is right.
  const guess = written - offset(written);
  return written - offset(guess);
}

/** RFC 5545 §3.3.6. */
function after(start: Moment, duration: string): Moment | undefined {
  const match = /^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    duration.trim(),
  );
  if (!match) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((one) => Number(one ?? 0));
  const length =
    ((weeks ?? 0) * 7 + (days ?? 0)) * DAY +
    ((hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)) * 1000;
  return length ? { ...start, at: start.at + length } : undefined;
}

/** The last day that an event without times takes: its end is the day after (RFC 5545 §3.6.1). */
export function lastDay(event: Event): Moment {
  if (!event.end) return event.start;
  return event.end.day && event.end.at > event.start.at
    ? { ...event.end, at: event.end.at - DAY }
    : event.end;
}
