import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { i18n } from "../../i18n/index.ts";
import type { Part } from "../../jmap/index.ts";
import { type Event, eventOf, lastDay, type Moment } from "./calendar.ts";
import { useText } from "./content.ts";
import style from "./Preview.module.css";

const MOST = 500_000;

/** An invitation, as a card: what, when by the reader's own clock, where, and who asks. */
export function EventCard({ part }: { part: Part }) {
  const found = useText(part, MOST);
  const event = found && found !== "failed" ? eventOf(found.text) : undefined;
  return event ? <Card event={event} /> : null;
}

function Card({ event }: { event: Event }) {
  const { t } = useLingui();
  const { start } = event;
  const { organizer, location } = event;
  return (
    <section className={style.card} aria-label={t`Event`}>
      <div className={style.day} aria-hidden>
        <span>{shown(start, { month: "short" })}</span>
        <b>{shown(start, { day: "numeric" })}</b>
      </div>
      <div className={style.what}>{event.summary || <Trans>Event</Trans>}</div>
      <ul className={style.details}>
        {event.cancelled ? (
          <li className={style.cancelled}>
            <Trans>Cancelled</Trans>
          </li>
        ) : null}
        <li>
          {span(event)}
          {event.repeats ? (
            <>
              {" · "}
              <Trans>repeats</Trans>
            </>
          ) : null}
          <Zone moment={start} />
        </li>
        {location ? <li>{location}</li> : null}
        {organizer ? (
          <li>
            <Trans>From {organizer}</Trans>
            {event.attendees ? (
              <>
                {" · "}
                <Plural value={event.attendees} one="# guest" other="# guests" />
              </>
            ) : null}
          </li>
        ) : null}
      </ul>
    </section>
  );
}

/** What the clock shows where the event is, if that is elsewhere. */
function Zone({ moment }: { moment: Moment }) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const { zone, unknown, day } = moment;
  if (day || (!unknown && (!zone || zone === own || zone === "UTC"))) return null;
  if (unknown) {
    return (
      <div className={style.zone}>
        <Trans>In the time of “{unknown}”, which is not known here.</Trans>
      </div>
    );
  }
  const there = new Intl.DateTimeFormat(i18n.locale, {
    hour: "numeric",
    minute: "2-digit",
    timeZone: zone,
    timeZoneName: "short",
  }).format(moment.at);
  return (
    <div className={style.zone}>
      {there} · {zone}
    </div>
  );
}

function shown(moment: Moment, options: Intl.DateTimeFormatOptions): string {
  const zone = moment.day ? { timeZone: "UTC" } : {};
  return new Intl.DateTimeFormat(i18n.locale, { ...options, ...zone }).format(moment.at);
}

function span(event: Event): string {
  const last = lastDay(event);
  const { start } = event;
  const format = new Intl.DateTimeFormat(i18n.locale, {
    weekday: "short",
    day: "numeric",
    month: "long",
    year: "numeric",
    ...(start.day ? { timeZone: "UTC" } : { hour: "numeric", minute: "2-digit" }),
  });
  return last.at > start.at ? format.formatRange(start.at, last.at) : format.format(start.at);
}
