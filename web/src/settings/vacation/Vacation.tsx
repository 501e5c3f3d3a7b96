import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { loadOne, saveOne, type VacationResponse } from "../../jmap/index.ts";
import { Button, Notice, Switch, TextArea, TextField, toasts } from "../../ui/index.ts";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Form, Section } from "../Section.tsx";
import pageStyle from "../Settings.module.css";
import { client } from "../session.ts";
import { dayOf, momentOf } from "./days.ts";
import style from "./Vacation.module.css";

const load = async () => loadOne(await client(), "VacationResponse");

/** The reply that people get while one is away. */
export function Vacation() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {({ state, one }) => <Away key={state} state={state} before={one} again={again} />}
    </Loaded>
  );
}

function Away({
  state,
  before,
  again,
}: {
  state: string;
  before: VacationResponse;
  again: () => void;
}) {
  const { t } = useLingui();
  const tried = useTried();
  const standard = t`Thank you for your message. I am away at the moment and will read it when I am back.`;
  const [on, setOn] = useState(before.isEnabled);
  const [from, setFrom] = useState(dayOf(before.fromDate));
  const [to, setTo] = useState(dayOf(before.toDate, true));
  const [subject, setSubject] = useState(before.subject ?? "");
  const [text, setText] = useState(before.textBody ?? standard);
  const wrongDays = Boolean(from && to && to < from);
  const over = Boolean(on && to && dayOf(new Date().toISOString()) > to);

  async function save(): Promise<void> {
    if (wrongDays) return;
    const patch = {
      isEnabled: on,
      fromDate: momentOf(from),
      toDate: momentOf(to, true),
      subject: subject.trim() || null,
      textBody: text,
      // The same in another form: it would say what was said before.
      ...(text === (before.textBody ?? "") ? {} : { htmlBody: null }),
    };
    if (!(await tried.run(async () => saveOne(await client(), "VacationResponse", state, patch))))
      return;
    toasts.show(on ? t`Your reply is on.` : t`Your reply is off.`);
    again();
  }

  return (
    <div className={pageStyle.page}>
      <Form
        submit={() => void save()}
        actions={
          <Button type="submit" kind="primary">
            <Trans>Save</Trans>
          </Button>
        }
      >
        <Switch
          label={t`Answer for me while I am away`}
          hint={t`Each person gets the reply once a week at most; lists and programs never.`}
          on={on}
          turn={setOn}
        />
        {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
        {over ? (
          <Notice tone="warn">
            <Trans>The last day is over, so nobody is answered any more.</Trans>
          </Notice>
        ) : null}
        <div className={style.days}>
          <TextField
            label={t`First day`}
            hint={t`Empty: from now on.`}
            type="date"
            value={from}
            onChange={setFrom}
          />
          <TextField
            label={t`Last day`}
            hint={t`Empty: until you turn it off.`}
            type="date"
            value={to}
            onChange={setTo}
            error={wrongDays ? t`The last day is before the first.` : undefined}
          />
        </div>
        <TextField
          label={t`Subject`}
          hint={t`Empty: that of the message, with “Auto:” before it.`}
          value={subject}
          onChange={setSubject}
          maxLength={400}
        />
        <TextArea label={t`Text`} value={text} onChange={setText} rows={7} maxLength={60_000} />
      </Form>
      <Section title={t`What people get`}>
        <div className={style.preview}>
          <p className={style.subject}>
            {subject.trim() || (
              <>
                Auto: <Trans>Their subject</Trans>
              </>
            )}
          </p>
          <p className={style.text}>{text.trim() || standard}</p>
        </div>
      </Section>
    </div>
  );
}
