import { describe, expect, it } from "vitest";
import { eventOf, lastDay, zoneOf } from "./calendar.ts";

const event = (...own: string[]) =>
  ["BEGIN:VCALENDAR", "METHOD:REQUEST", "BEGIN:VEVENT", ...own, "END:VEVENT", "END:VCALENDAR"].join(
    "\r\n",
  );
const at = (iso: string) => new Date(iso).getTime();

describe("the event of an invitation", () => {
  it("is in the zone that it names, by the clock of that day", () => {
    const summer = eventOf(event("DTSTART;TZID=Europe/Paris:20260714T090000"));
    const winter = eventOf(event("DTSTART;TZID=Europe/Paris:20261214T090000"));
    expect(summer?.start.at).toBe(at("2026-07-14T07:00:00Z"));
    expect(winter?.start.at).toBe(at("2026-12-14T08:00:00Z"));
  });

  it("knows zones as Microsoft's programs name them", () => {
    const found = eventOf(event('DTSTART;TZID="W. Europe Standard Time":20260714T090000'));
    expect(found?.start).toMatchObject({ at: at("2026-07-14T07:00:00Z"), zone: "Europe/Berlin" });
    expect(zoneOf("/freeassociation.sourceforge.net/Europe/Oslo")).toBe("Europe/Oslo");
  });

  it("says of a zone that nobody knows what it was called", () => {
    expect(eventOf(event("DTSTART;TZID=Our office:20260714T090000"))?.start).toMatchObject({
      zone: undefined,
      unknown: "Our office",
    });
  });

  it("takes folded lines, escapes and an end by its length", () => {
    const found = eventOf(
      event("DTSTART:20260714T090000Z", "DURATION:PT1H30M", "SUMMARY:Lunch\\, then", " \\;work"),
    );
    expect(found?.summary).toBe("Lunch, then;work");
    expect(found?.end?.at).toBe(at("2026-07-14T10:30:00Z"));
  });

  it("has days without times up to the day before its end", () => {
    const found = eventOf(
      event("DTSTART;VALUE=DATE:20260714", "DTEND;VALUE=DATE:20260717", "SUMMARY:Fair"),
    );
    expect(found && lastDay(found).at).toBe(at("2026-07-16T00:00:00Z"));
  });

  it("keeps what an alarm says apart", () => {
    const found = eventOf(
      event(
        "BEGIN:VALARM",
        "SUMMARY:Wake up",
        "END:VALARM",
        "DTSTART:20260714T090000Z",
        "SUMMARY:Meeting",
      ),
    );
    expect(found?.summary).toBe("Meeting");
  });

  it("tells who asks, whom, and that it is called off", () => {
    const found = eventOf(
      event(
        "DTSTART:20260714T090000Z",
        'ORGANIZER;CN="Ada, Countess":mailto:ada@example.org',
        "ATTENDEE;RSVP=TRUE:mailto:a@example.org",
        "ATTENDEE:mailto:b@example.org",
        "STATUS:CANCELLED",
      ),
    );
    expect(found).toMatchObject({ organizer: "Ada, Countess", attendees: 2, cancelled: true });
  });

  it("is nothing where there is no event, or one without a beginning", () => {
    for (const text of [
      "",
      "BEGIN:VTODO\nEND:VTODO",
      event("SUMMARY:When?"),
      event("DTSTART:soon"),
    ]) {
      expect(eventOf(text)).toBeUndefined();
    }
  });
});
