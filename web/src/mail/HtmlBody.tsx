import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ImageOff } from "lucide-react";
import { useState } from "react";
import type { BodyValue, Picture } from "../jmap/index.ts";
import { Button, Dialog } from "../ui/index.ts";
import style from "./Body.module.css";
import { useDark } from "./hooks.ts";
import { MessageFrame, type MisleadingLink } from "./MessageFrame.tsx";
import { isRemote } from "./pictures.ts";
import { trusted, useTrusted } from "./trusted.ts";

const NONE: readonly Picture[] = [];

export interface Reading {
  /** What tells one message from another in the same place. */
  readonly message?: string;
  /** Whose message it is, by address. */
  readonly sender: string;
  /** Pictures of the web were asked for. */
  readonly asked: boolean;
  readonly ask: () => void;
  /** Its own colours, though the page is dark. */
  readonly original: boolean;
  /** Another message takes its place soon. */
  readonly spare?: boolean;
}

export interface HtmlBodyProps {
  /** Nothing: a message with HTML may come here. */
  value: BodyValue | undefined;
  reading: Reading;
}

/** HTML of a message: nothing is fetched for it from elsewhere until that is asked for. */
export function HtmlBody({ value, reading }: HtmlBodyProps) {
  const { t } = useLingui();
  const dark = useDark();
  const always = useTrusted(reading.sender);
  const [misled, setMisled] = useState<MisleadingLink | undefined>();
  const pictures = value?.pictures ?? NONE;
  const remote = reading.asked || always;
  return (
    <div className={value ? style.html : style.ahead}>
      {remote ? null : <Blocked pictures={pictures} reading={reading} />}
      <MessageFrame
        html={value?.value}
        pictures={pictures}
        remote={remote}
        dark={dark}
        original={reading.original}
        title={t`Text of the message`}
        fold={t`Show what is quoted`}
        misled={setMisled}
        spare={reading.spare ?? false}
      />
      <LinkWarning link={misled} close={() => setMisled(undefined)} />
    </div>
  );
}

function Blocked({ pictures, reading }: { pictures: readonly Picture[]; reading: Reading }) {
  const some = pictures.filter(isRemote);
  const { sender } = reading;
  if (!some.length) return null;
  const fetchable = some.some((one) => one.url);
  return (
    <div className={style.blocked}>
      <ImageOff size={16} aria-hidden />
      <span>
        {fetchable ? (
          <Plural
            value={some.length}
            one="A picture from the web is not shown."
            other="# pictures from the web are not shown."
          />
        ) : (
          <Trans>This server cannot fetch pictures from the web.</Trans>
        )}
      </span>
      {fetchable ? (
        <span className={style.choices}>
          <Button kind="quiet" onPress={reading.ask}>
            <Trans>Show</Trans>
          </Button>
          {sender ? (
            <Button kind="quiet" onPress={() => trusted.add(sender)}>
              <Trans>Always from this sender</Trans>
            </Button>
          ) : null}
        </span>
      ) : null}
    </div>
  );
}

/** Before a link is followed that says another place than it leads to. */
function LinkWarning({ link, close }: { link: MisleadingLink | undefined; close: () => void }) {
  const { t } = useLingui();
  const leads = link?.leads ?? "";
  function follow(): void {
    if (link && /^(?:https?|mailto):/i.test(link.href)) {
      window.open(link.href, "_blank", "noopener,noreferrer");
    }
    close();
  }
  return (
    <Dialog
      open={Boolean(link)}
      close={close}
      title={t`This link says otherwise`}
      closeLabel={t`Close`}
    >
      <dl className={style.link}>
        <dt>
          <Trans>It says</Trans>
        </dt>
        <dd>{link?.says}</dd>
        <dt>
          <Trans>It leads to</Trans>
        </dt>
        <dd className={style.leads}>{leads || link?.href}</dd>
      </dl>
      <p className={style.advice}>
        <Trans>
          Newsletters do this to count clicks; thieves do it to get passwords. If the message asks
          for one, type the address yourself instead.
        </Trans>
      </p>
      <div className={style.answers}>
        <Button kind="primary" onPress={close}>
          <Trans>Do not open</Trans>
        </Button>
        <Button onPress={follow}>{leads ? t`Open ${leads}` : t`Open`}</Button>
      </div>
    </Dialog>
  );
}
