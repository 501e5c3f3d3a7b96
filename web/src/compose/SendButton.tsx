import { Trans, useLingui } from "@lingui/react/macro";
import { CalendarClock, ChevronDown, Clock } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Button as AriaButton } from "react-aria-components";
import { fullDate } from "../i18n/index.ts";
import { Button, Dialog, Menu, MenuItem, Tooltip } from "../ui/index.ts";
import { local, type Preset, presets } from "./later.ts";
import style from "./SendButton.module.css";

const MINUTE = 60_000;

/** `longest`: seconds that a message can wait, 0 where it cannot. */
export function SendButton({ send, longest }: { send: (at?: Date) => void; longest: number }) {
  const { t } = useLingui();
  const [asked, setAsked] = useState(false);
  const names: Record<Preset, string> = {
    evening: t`This evening`,
    tomorrow: t`Tomorrow morning`,
    monday: t`Monday morning`,
  };
  const latest = Date.now() + longest * 1_000;
  const moments = presets(new Date()).filter(([, at]) => at.getTime() < latest);
  return (
    <span className={style.send}>
      <Tooltip text={t`Send`} shortcut="Ctrl ⏎">
        <AriaButton className={style.now ?? ""} onPress={() => send()}>
          <Trans>Send</Trans>
        </AriaButton>
      </Tooltip>
      {moments.length ? (
        <>
          <Menu
            label={t`Send later`}
            trigger={
              <AriaButton className={style.more ?? ""} aria-label={t`Send later`}>
                <ChevronDown size={16} aria-hidden />
              </AriaButton>
            }
          >
            {[
              ...moments.map(([name, at]) => (
                <MenuItem key={name} icon={Clock} shortcut={when(at)} onAction={() => send(at)}>
                  {names[name]}
                </MenuItem>
              )),
              <MenuItem key="other" icon={CalendarClock} onAction={() => setAsked(true)}>
                {t`Choose a date and time…`}
              </MenuItem>,
            ]}
          </Menu>
          <Dialog
            open={asked}
            close={() => setAsked(false)}
            title={t`Send later`}
            closeLabel={t`Close`}
          >
            <Moment
              first={moments[0]?.[1] ?? new Date()}
              latest={new Date(latest)}
              chosen={(at) => {
                setAsked(false);
                send(at);
              }}
            />
          </Dialog>
        </>
      ) : null}
    </span>
  );
}

function when(at: Date): string {
  const { lang } = document.documentElement;
  const own = navigator.languages.find((tag) => tag.startsWith(lang)) ?? lang;
  return at.toLocaleString(own, { weekday: "short", hour: "numeric", minute: "2-digit" });
}

function Moment({
  first,
  latest,
  chosen,
}: {
  first: Date;
  latest: Date;
  chosen: (at: Date) => void;
}) {
  const [text, setText] = useState(local(first));
  const field = useRef<HTMLInputElement>(null);
  const at = new Date(text);
  const good = at.getTime() > Date.now() + MINUTE && at.getTime() < latest.getTime();
  function apply(event: FormEvent): void {
    event.preventDefault();
    if (good) chosen(at);
  }
  return (
    <form className={style.moment} onSubmit={apply}>
      <label className={style.label}>
        <Trans>Date and time</Trans>
        <input
          ref={field}
          className={style.field}
          type="datetime-local"
          min={local(new Date(Date.now() + 2 * MINUTE))}
          max={local(latest)}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </label>
      <p className={style.says} role="status">
        {good ? (
          <Trans>It is sent on {fullDate(at.toISOString())}.</Trans>
        ) : (
          <Trans>Choose a time to come, until {fullDate(latest.toISOString())}.</Trans>
        )}
      </p>
      <Button type="submit" kind="primary" isDisabled={!good}>
        <Trans>Send later</Trans>
      </Button>
    </form>
  );
}
