import { Trans, useLingui } from "@lingui/react/macro";
import { Ellipsis, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button, IconButton, Notice } from "../ui/index.ts";
import style from "./Composer.module.css";
import type { Question } from "./checks.ts";
import type { Composing } from "./composing.ts";
import type { Quote } from "./quoting.ts";

/** What is quoted, folded: it goes with the message as it is. Unfolded it is text like any other. */
export function Quotation({
  quote,
  unfold,
  remove,
}: {
  quote: Quote;
  unfold: () => void;
  remove: () => void;
}) {
  const { t } = useLingui();
  return (
    <div className={style.quotation}>
      <button
        type="button"
        className={style.fold}
        aria-label={t`Show and edit what is quoted`}
        title={quote.intro.split("\n")[0]}
        onClick={unfold}
      >
        <Ellipsis size={18} aria-hidden />
      </button>
      <IconButton icon={X} label={t`Leave out what is quoted`} onPress={remove} />
    </div>
  );
}

/** What is asked before it goes. */
export function Asked({
  question,
  answered,
}: {
  question: Question;
  answered: (yes: boolean) => void;
}) {
  const yes = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (question === "subject" || question === "attachment") {
      yes.current?.querySelector("button")?.focus();
    }
  }, [question]);
  const words = {
    nobody: <Trans>Nobody gets this message yet. Whom is it for?</Trans>,
    invalid: (
      <Trans>One of the addresses is none that mail can be sent to; it is marked red.</Trans>
    ),
    subject: <Trans>This message has no subject.</Trans>,
    attachment: <Trans>The text speaks of an attachment, and there is none.</Trans>,
  }[question];
  return (
    <div className={style.note}>
      <Notice tone={question === "nobody" || question === "invalid" ? "danger" : "warn"}>
        <div className={style.asked}>
          <span>{words}</span>
          {question === "subject" || question === "attachment" ? (
            <div ref={yes} className={style.answers}>
              <Button onPress={() => answered(false)}>
                {question === "subject" ? <Trans>Write one</Trans> : <Trans>Attach a file</Trans>}
              </Button>
              <Button kind="quiet" onPress={() => answered(true)}>
                <Trans>Send anyway</Trans>
              </Button>
            </div>
          ) : null}
        </div>
      </Notice>
    </div>
  );
}

/** What went wrong or otherwise than one thinks. `over`: words about files that did not fit. */
export function Told({ one, over }: { one: Composing; over: string }) {
  const { t } = useLingui();
  const refusals: Readonly<Record<string, string>> = {
    overQuota: t`Your mailbox is full: the draft is kept in this browser alone. Delete some mail to save and send it.`,
    tooLarge: t`The message is too large. Take something off that is attached.`,
    blobNotFound: t`An attachment is no longer on the server. Remove it and attach it again.`,
    forbiddenFrom: t`You may not write from this address. Choose another one.`,
    forbiddenMailFrom: t`You may not write from this address. Choose another one.`,
    forbiddenToSend: t`The server does not send this message.`,
    invalidRecipients: t`The server knows that one of the addresses cannot be reached. Look through them again.`,
    tooManyRecipients: t`These are more people than one message may have.`,
  };
  const words =
    one.notSent || one.status === "refused"
      ? (refusals[one.notSent || one.refusal] ??
        t`The server did not take this message. It is kept here; try again in a moment.`)
      : over;
  if (!words && !one.joined) return null;
  return (
    <div className={style.note}>
      {words ? <Notice tone="danger">{words}</Notice> : null}
      {one.joined ? (
        <Notice>
          <Trans>
            This draft was also written on another device. Both texts are kept, one below the other.
          </Trans>
        </Notice>
      ) : null}
    </div>
  );
}
