import { Trans, useLingui } from "@lingui/react/macro";
import { CalendarClock, Forward, Pencil, Reply, ReplyAll } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { fullDate } from "../i18n/index.ts";
import type { Address, Email, Id } from "../jmap/index.ts";
import { useKeys } from "../keys/index.ts";
import { usePrefs } from "../prefs/index.ts";
import { Button, Notice } from "../ui/index.ts";
import { useBody } from "./hooks.ts";
import style from "./Replies.module.css";
import { useMail } from "./session.ts";
import { useWriting } from "./writing.ts";

/** Below the messages of a conversation: what answers them, and the drafts of answers. */
export function Replies({ emails }: { emails: readonly Email[] }) {
  const writing = useWriting();
  const { shortcuts } = usePrefs();
  const newest = emails.filter(({ keywords }) => !keywords.$draft).at(-1);
  const thread = emails.at(-1)?.threadId ?? "";
  const { desk, piece } = writing;
  const { client } = useMail();
  const [body] = useBody(newest?.id ?? "", Boolean(newest));
  const cc = typeof body === "object" ? body.cc : null;
  const several = newest && isForSeveral(newest, cc, client.session.username);
  const open = useSyncExternalStore(
    (heard) => desk?.subscribe(heard) ?? (() => {}),
    () => desk?.inline(thread),
  );
  useSyncExternalStore(
    (heard) => desk?.subscribe(heard) ?? (() => {}),
    () => desk?.version,
  );
  const answer = (how: "reply" | "replyAll" | "forward") => () =>
    newest && writing.answer(newest.id, how);
  useKeys(
    { reply: answer("reply"), replyAll: answer("replyAll"), forward: answer("forward") },
    shortcuts,
  );
  const drafts = emails.filter(({ keywords }) => keywords.$draft);
  // While one is saved, its new version may be heard of before the answer says which it is.
  const isEdited = ({ id, threadId }: Email) =>
    desk?.all.some(
      ({ draft, status }) =>
        draft.emailId === id || (status === "saving" && draft.source?.threadId === threadId),
    );
  return (
    <>
      <Scheduled emails={emails} />
      {drafts
        .filter((email) => !isEdited(email))
        .map((email) => (
          <DraftLine key={email.id} email={email} />
        ))}
      {open && piece && desk ? <piece.Inline desk={desk} threadId={thread} /> : null}
      {!open && newest ? (
        <div className={style.bar}>
          <Button icon={Reply} onPress={answer("reply")}>
            <Trans>Reply</Trans>
          </Button>
          {several ? (
            <Button icon={ReplyAll} onPress={answer("replyAll")}>
              <Trans>Reply to all</Trans>
            </Button>
          ) : null}
          <Button icon={Forward} onPress={answer("forward")}>
            <Trans>Forward</Trans>
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** Whether somebody else is in it than who would be answered. */
function isForSeveral(
  { to, from }: Email,
  cc: readonly Address[] | null | undefined,
  own: string,
): boolean {
  const all = [...(to ?? []), ...(from ?? []), ...(cc ?? [])].map(({ email }) =>
    email.toLowerCase(),
  );
  const others = new Set(all);
  others.delete(own.toLowerCase());
  return others.size > 1;
}

function DraftLine({ email }: { email: Email }) {
  const writing = useWriting();
  const { t } = useLingui();
  return (
    <button
      type="button"
      className={style.draft}
      onClick={() => writing.edit(email.id, "inline")}
      aria-label={t`Go on with the draft: ${email.preview}`}
    >
      <Pencil size={16} aria-hidden />
      <span className={style.word}>
        <Trans>Draft</Trans>
      </span>
      <span className={style.gist}>{email.preview}</span>
    </button>
  );
}

/** Of a message that waits to be sent: when it goes, and the way back. */
function Scheduled({ emails }: { emails: readonly Email[] }) {
  const waiting = emails.filter(({ keywords }) => keywords.$scheduled);
  return waiting.map((email) => <Waiting key={email.id} email={email} />);
}

function Waiting({ email }: { email: Email }) {
  const { client, store } = useMail();
  const writing = useWriting();
  const [found, setFound] = useState<{ id: Id; sendAt: string }>();
  useEffect(() => {
    let left = false;
    const batch = client.batch();
    const query = batch.add("EmailSubmission/query", {
      filter: { emailIds: [email.id], undoStatus: "pending" },
    });
    const get = batch.add("EmailSubmission/get", { "#ids": query.ref("/ids") });
    client.send(batch).then(
      (answers) => left || setFound(answers.of(get).list[0]),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [client, email.id]);
  if (!found) return null;

  async function cancel(): Promise<void> {
    const drafts = store.mailboxes.role("drafts");
    if (!found || !drafts) return;
    const batch = client.batch();
    batch.add("EmailSubmission/set", {
      update: { [found.id]: { undoStatus: "canceled" } },
      onSuccessUpdateEmail: {
        [found.id]: {
          mailboxIds: { [drafts.id]: true },
          "keywords/$draft": true,
          "keywords/$scheduled": null,
        },
      },
    });
    await client.send(batch);
    await store.sender.look();
    writing.edit(email.id);
  }

  return (
    <Notice>
      <div className={style.waiting}>
        <CalendarClock size={16} aria-hidden />
        <span>
          <Trans>It is sent on {fullDate(found.sendAt)}.</Trans>
        </span>
        <Button kind="quiet" onPress={() => void cancel()}>
          <Trans>Do not send it</Trans>
        </Button>
      </div>
    </Notice>
  );
}
