import { Plural, Trans } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import { shortDate } from "../i18n/index.ts";
import type { Email, FilterRule, JmapClient } from "../jmap/index.ts";
import style from "./RuleEditor.module.css";
import { queryOf } from "./rules.ts";

const SHOWN = 5;
/** After the last key, until it is looked up. */
const PAUSE = 400;

interface Found {
  readonly total: number;
  readonly emails: readonly Pick<Email, "id" | "subject" | "from" | "receivedAt">[];
}

/** What of the mail that is there a rule would have caught. */
export function Caught({ rule, client }: { rule: FilterRule; client: JmapClient }) {
  const query = queryOf(rule);
  const key = query ? JSON.stringify(query) : "";
  const [found, setFound] = useState<{ key: string; what: Found | "away" }>();
  useEffect(() => {
    if (!key) return;
    let left = false;
    const timer = setTimeout(() => {
      look(client, JSON.parse(key)).then(
        (what) => left || setFound({ key, what }),
        () => left || setFound({ key, what: "away" }),
      );
    }, PAUSE);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [key, client]);

  const what = found?.key === key ? found.what : undefined;
  return (
    <div className={style.caught} aria-live="polite" aria-busy={Boolean(key) && !what}>
      {!key ? (
        <Trans>As soon as there is a condition, you see here what it would have caught.</Trans>
      ) : !what ? (
        <Trans>Looking through your mail…</Trans>
      ) : what === "away" ? (
        <Trans>What it would have caught cannot be looked up now.</Trans>
      ) : (
        <>
          <span className={style.total}>
            <Plural
              value={what.total}
              _0="None of your mail would have been caught."
              one="It would have caught # message:"
              other="It would have caught # messages, the newest:"
            />
          </span>
          <ul className={style.mails}>
            {what.emails.map((one) => (
              <li key={one.id}>
                {shortDate(one.receivedAt)} · {one.from?.[0]?.name || one.from?.[0]?.email} ·{" "}
                {one.subject}
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

async function look(client: JmapClient, filter: object): Promise<Found> {
  const batch = client.batch();
  const query = batch.add("Email/query", {
    filter: filter as NonNullable<ReturnType<typeof queryOf>>,
    sort: [{ property: "receivedAt", isAscending: false }],
    limit: SHOWN,
    calculateTotal: true,
  });
  const get = batch.add("Email/get", {
    "#ids": query.ref("/ids"),
    properties: ["id", "subject", "from", "receivedAt"],
  });
  const answers = await client.send(batch);
  return { total: answers.of(query).total ?? 0, emails: answers.of(get).list };
}
