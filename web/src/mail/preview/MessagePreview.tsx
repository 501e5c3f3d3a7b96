import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import { fullDate } from "../../i18n/index.ts";
import type { Address, Id, ParsedEmail } from "../../jmap/index.ts";
import { Attachments } from "../Attachments.tsx";
import { Body } from "../Body.tsx";
import { useMail } from "../session.ts";
import type { Found } from "./content.ts";
import style from "./Preview.module.css";
import { Waited } from "./Preview.tsx";

const MOST = 200 * 1024;

const named = (people: readonly Address[] | null) =>
  (people ?? []).map(({ name, email }) => (name ? `${name} <${email}>` : email)).join(", ");

/** A message that is attached to another, as it would be read. */
export function MessagePreview({ blob }: { blob: Id }) {
  const found = useParsed(blob);
  return <Waited found={found}>{(email) => <Opened email={email} />}</Waited>;
}

function useParsed(blob: Id): Found<ParsedEmail> {
  const { client } = useMail();
  const [found, setFound] = useState<{ blob: Id; email: Found<ParsedEmail> }>();
  useEffect(() => {
    let left = false;
    const batch = client.batch();
    const call = batch.add("Email/parse", {
      blobIds: [blob],
      properties: [
        "subject",
        "from",
        "to",
        "cc",
        "sentAt",
        "htmlBody",
        "attachments",
        "bodyValues",
      ],
      fetchHTMLBodyValues: true,
      maxBodyValueBytes: MOST,
      makeHTMLSafe: true,
    });
    const set = (email: Found<ParsedEmail>) => left || setFound({ blob, email });
    client.send(batch).then(
      (answers) => set(answers.of(call).parsed?.[blob] ?? "failed"),
      () => set("failed"),
    );
    return () => {
      left = true;
    };
  }, [client, blob]);
  return found?.blob === blob ? found.email : undefined;
}

function Opened({ email }: { email: ParsedEmail }) {
  const { t } = useLingui();
  const [asked, setAsked] = useState(false);
  const lines = [
    [t`From`, named(email.from)],
    [t`To`, named(email.to)],
    [t`Cc`, named(email.cc)],
    [t`Date`, email.sentAt ? fullDate(email.sentAt) : ""],
  ] as const;
  return (
    <article>
      <h3 className={style.subject}>{email.subject?.trim() || <Trans>(no subject)</Trans>}</h3>
      <dl className={style.lines}>
        {lines.map(([label, value]) =>
          value ? (
            <div key={label} style={{ display: "contents" }}>
              <dt>{label}</dt>
              <dd>{value}</dd>
            </div>
          ) : null,
        )}
      </dl>
      <Body
        body={email}
        // Who sent what is within is anybody's word: there is no always for it.
        reading={{ sender: "", asked, ask: () => setAsked(true), original: false }}
      />
      <Attachments body={email} />
    </article>
  );
}
