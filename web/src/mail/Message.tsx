import { Trans, useLingui } from "@lingui/react/macro";
import {
  Download,
  Ellipsis,
  Forward,
  ImageOff,
  Palette,
  Paperclip,
  Printer,
  Reply,
  ReplyAll,
  Star,
} from "lucide-react";
import { useState } from "react";
import { fullDate, shortDate } from "../i18n/index.ts";
import type { Address, Email, EmailBody } from "../jmap/index.ts";
import {
  Avatar,
  Button,
  IconButton,
  Menu,
  MenuItem,
  MenuLine,
  Notice,
  Skeleton,
} from "../ui/index.ts";
import { Attachments } from "./Attachments.tsx";
import { Body, isHtml } from "./Body.tsx";
import type { Deeds } from "./deeds.ts";
import { useBody, useDark } from "./hooks.ts";
import style from "./Message.module.css";
import { personName } from "./names.ts";
import { Print } from "./Print.tsx";
import { useMail } from "./session.ts";
import { trusted, useTrusted } from "./trusted.ts";
import { useWriting } from "./writing.ts";

export interface MessageProps {
  email: Email;
  last: boolean;
  /** Another message takes its place soon: the next or the one before is read in it. */
  stays: boolean;
  alone: boolean;
  deeds: Deeds;
}

/** A message of a conversation: in one line until it is opened, but for the newest and what is unread. */
export function Message({ email, last, stays, alone, deeds }: MessageProps) {
  const { t } = useLingui();
  const [open, setOpen] = useState(last || !email.keywords.$seen);
  const [body, again] = useBody(email.id, open);
  const { store } = useMail();
  const [asked, setAsked] = useState(false);
  const [original, setOriginal] = useState(false);
  const [printing, setPrinting] = useState(false);
  const [whole, setWhole] = useState(false);
  // Another message in the same place is a message of its own.
  const [of, setOf] = useState(email.id);
  if (of !== email.id) {
    setOf(email.id);
    setOpen(last || !email.keywords.$seen);
    setAsked(false);
    setOriginal(false);
    setPrinting(false);
    setWhole(false);
  }
  const there = body === "failed" ? undefined : body;
  const from = email.from?.[0] ?? { name: null, email: "" };
  const name = personName(from) || t`(nobody)`;
  const flagged = Boolean(email.keywords.$flagged);
  const always = useTrusted(from.email);

  function showAll(): void {
    setWhole(true);
    void store.wholeBody(email.id).then(again, () => setWhole(false));
  }

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
          <Recipients email={email} body={there} />
        </div>
        <time className={style.date} dateTime={email.receivedAt}>
          {fullDate(email.receivedAt)}
        </time>
        <span className={style.actions}>
          {alone ? null : (
            <IconButton
              icon={Star}
              tone="star"
              pressed={flagged}
              label={flagged ? t`Remove the star` : t`Star`}
              onPress={() => deeds.starOne(email)}
            />
          )}
          <More
            email={email}
            html={Boolean(there?.htmlBody.some(isHtml))}
            original={original}
            setOriginal={setOriginal}
            print={() => setPrinting(true)}
          />
          {last ? null : (
            <Button kind="quiet" onPress={() => setOpen(false)}>
              <Trans>Close</Trans>
            </Button>
          )}
        </span>
      </header>
      <div className={style.body}>
        {body === "failed" ? (
          <Notice tone="warn">
            <Trans>This message could not be loaded.</Trans>{" "}
            <Button kind="quiet" onPress={again}>
              <Trans>Try again</Trans>
            </Button>
          </Notice>
        ) : null}
        {there || stays ? (
          <Body
            body={there}
            reading={{
              message: email.id,
              sender: from.email,
              asked,
              ask: () => setAsked(true),
              original,
              spare: stays,
            }}
            more={whole ? undefined : showAll}
          />
        ) : null}
        {there ? <Attachments key={email.id} body={there} /> : null}
        {there && printing ? (
          <Print
            email={email}
            body={there}
            remote={asked || always}
            done={() => setPrinting(false)}
          />
        ) : null}
        {body ? null : (
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

interface MoreProps {
  email: Email;
  html: boolean;
  original: boolean;
  setOriginal: (original: boolean) => void;
  print: () => void;
}

/** What else can be done with a message. */
function More({ email, html, original, setOriginal, print }: MoreProps) {
  const { t } = useLingui();
  const { client } = useMail();
  const writing = useWriting();
  const dark = useDark();
  const sender = email.from?.[0]?.email ?? "";
  const always = useTrusted(sender);
  const file = `${email.subject?.trim() || t`Message`}.eml`;
  return (
    <Menu label={t`More`} trigger={<IconButton icon={Ellipsis} label={t`More`} />}>
      <MenuItem icon={Reply} onAction={() => writing.answer(email.id, "reply")}>
        {t`Reply`}
      </MenuItem>
      <MenuItem icon={ReplyAll} onAction={() => writing.answer(email.id, "replyAll")}>
        {t`Reply to all`}
      </MenuItem>
      <MenuItem icon={Forward} onAction={() => writing.answer(email.id, "forward")}>
        {t`Forward`}
      </MenuItem>
      <MenuLine />
      <MenuItem icon={Printer} onAction={print}>
        {t`Print`}
      </MenuItem>
      {dark && html ? (
        <MenuItem icon={Palette} onAction={() => setOriginal(!original)}>
          {original ? t`In colours for the dark` : t`In its own colours`}
        </MenuItem>
      ) : null}
      {always ? (
        <MenuItem icon={ImageOff} onAction={() => trusted.remove(sender)}>
          {t`No pictures from this sender`}
        </MenuItem>
      ) : null}
      <MenuItem
        icon={Download}
        onAction={() => save(client.download(email.id, file, "message/rfc822"), file)}
      >
        {t`Save the message`}
      </MenuItem>
    </Menu>
  );
}

function save(href: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.click();
}
