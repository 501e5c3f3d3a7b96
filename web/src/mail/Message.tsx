import { Trans, useLingui } from "@lingui/react/macro";
import { Paperclip, Star } from "lucide-react";
import { useState } from "react";
import { fileSize, fullDate, shortDate } from "../i18n/index.ts";
import type { Address, Email, EmailBody } from "../jmap/index.ts";
import { Avatar, Button, IconButton, Notice, Skeleton } from "../ui/index.ts";
import { Body } from "./Body.tsx";
import type { Deeds } from "./deeds.ts";
import { useBody } from "./hooks.ts";
import style from "./Message.module.css";
import { personName } from "./names.ts";
import { useMail } from "./session.ts";

export interface MessageProps {
  email: Email;
  last: boolean;
  alone: boolean;
  deeds: Deeds;
}

/** A message of a conversation: in one line until it is opened, but for the newest and what is unread. */
export function Message({ email, last, alone, deeds }: MessageProps) {
  const { t } = useLingui();
  const [open, setOpen] = useState(last || !email.keywords.$seen);
  const [body, again] = useBody(email.id, open);
  const from = email.from?.[0] ?? { name: null, email: "" };
  const name = personName(from) || t`(nobody)`;
  const flagged = Boolean(email.keywords.$flagged);

  if (!open) {
    return (
      <article className={style.message} data-closed>
        <button
          type="button"
          className={style.line}
          aria-expanded={false}
          onClick={() => setOpen(true)}
        >
          <Avatar name={name} email={from.email} size="s" />
          <span className={style.name}>{name}</span>
          <span className={style.gist}>{email.preview}</span>
          {email.hasAttachment ? <Paperclip size={14} aria-label={t`With attachments`} /> : null}
          <time className={style.date} dateTime={email.receivedAt}>
            {shortDate(email.receivedAt)}
          </time>
        </button>
      </article>
    );
  }

  return (
    <article className={style.message} aria-label={t`Message from ${name}`}>
      <header className={style.head}>
        <Avatar name={name} email={from.email} />
        <div className={style.who}>
          <div>
            <span className={style.name}>{name}</span>{" "}
            {from.name ? <span className={style.address}>{from.email}</span> : null}
          </div>
          <Recipients email={email} body={body === "failed" ? undefined : body} />
        </div>
        <time className={style.date} dateTime={email.receivedAt}>
          {fullDate(email.receivedAt)}
        </time>
        {alone ? null : (
          <span className={style.actions}>
            <IconButton
              icon={Star}
              tone="star"
              pressed={flagged}
              label={flagged ? t`Remove the star` : t`Star`}
              onPress={() => deeds.starOne(email)}
            />
            {last ? null : (
              <Button kind="quiet" onPress={() => setOpen(false)}>
                <Trans>Close</Trans>
              </Button>
            )}
          </span>
        )}
      </header>
      <div className={style.body}>
        {body === "failed" ? (
          <Notice tone="warn">
            <Trans>This message could not be loaded.</Trans>{" "}
            <Button kind="quiet" onPress={again}>
              <Trans>Try again</Trans>
            </Button>
          </Notice>
        ) : body ? (
          <>
            <Body body={body} />
            <Attachments body={body} />
          </>
        ) : (
          <div className={style.waiting} aria-busy>
            <Skeleton width="long" />
            <Skeleton width="long" />
            <Skeleton width="half" />
          </div>
        )}
      </div>
    </article>
  );
}

function Recipients({ email, body }: { email: Email; body: EmailBody | undefined }) {
  const own = useMail().client.session.username;
  const { t } = useLingui();
  const named = (people: readonly Address[] | null | undefined) =>
    (people ?? []).map((one) => (one.email === own ? t`me` : personName(one))).join(", ");
  const to = named(email.to);
  const cc = named(body?.cc);
  return (
    <div className={style.to}>
      {to ? <Trans>to {to}</Trans> : null}
      {cc ? (
        <>
          {" · "}
          <Trans>copy to {cc}</Trans>
        </>
      ) : null}
    </div>
  );
}

function Attachments({ body }: { body: EmailBody }) {
  const { client } = useMail();
  const { t } = useLingui();
  const files = body.attachments.filter((part) => part.blobId && !isInline(body, part.cid));
  if (!files.length) return null;
  return (
    <ul className={style.files} aria-label={t`Attachments`}>
      {files.map((part) => {
        const name = part.name ?? t`Unnamed file`;
        return (
          <li key={part.blobId}>
            <a
              className={style.file}
              href={client.download(part.blobId ?? "", name, part.type)}
              download={name}
            >
              <Paperclip size={16} aria-hidden className={style.clip} />
              <span className={style.fileName}>{name}</span>
              <span className={style.size}>{fileSize(part.size)}</span>
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** Whether a part is shown within the text. */
function isInline(body: EmailBody, cid: string | null): boolean {
  return (
    Boolean(cid) && Object.values(body.bodyValues).some(({ value }) => value.includes(`cid:${cid}`))
  );
}
