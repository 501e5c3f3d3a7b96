import { Trans, useLingui } from "@lingui/react/macro";
import {
  Archive,
  ArrowLeft,
  ChevronDown,
  ChevronUp,
  FolderInput,
  Mail,
  MailX,
  Star,
  Tag,
  Trash2,
} from "lucide-react";
import { memo, useCallback, useEffect, useRef, useState } from "react";
import type { Id, Role } from "../jmap/index.ts";
import { Chip, EmptyState, IconButton, Label, Menu, MenuItem } from "../ui/index.ts";
import type { Deeds } from "./deeds.ts";
import { useConversation, useMailboxes } from "./hooks.ts";
import { Message } from "./Message.tsx";
import { mailboxIcon, mailboxName } from "./names.ts";
import { useAway } from "./organise/away.ts";
import { useLabelsOf } from "./organise/labels.ts";
import { More, Unsubscribe } from "./organise/More.tsx";
import { useOrganise } from "./organise/Organise.tsx";
import style from "./Reader.module.css";
import { Replies } from "./Replies.tsx";
import type { View } from "./view.ts";

export interface ReaderProps {
  id: Id;
  view: View;
  deeds: Deeds;
  /** Back to the list, where it is not beside. */
  back: (() => void) | undefined;
  /** To the row before or after, where there is one. */
  step: (by: 1 | -1) => void;
  hasBefore: boolean;
  hasAfter: boolean;
}

const NONE = {};

/** The right pane: a conversation, or a message alone. */
export function Reader({ id, view, deeds, back, step, hasBefore, hasAfter }: ReaderProps) {
  const { t, i18n } = useLingui();
  const conversation = useConversation(id, view.conversations);
  const mailboxes = useMailboxes();
  const labels = useLabelsOf(conversation?.emails.at(-1)?.keywords ?? NONE);
  const scroller = useRef<HTMLDivElement>(null);
  const latest = useRef(id);
  latest.current = id;
  const current = useCallback(() => [latest.current], []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another message begins at its top
  useEffect(() => {
    scroller.current?.scrollTo(0, 0);
  }, [id]);

  // The newest message of each that is opened is read in the same place, which is there already.
  const newestId = conversation?.emails.at(-1)?.id;
  const [place, setPlace] = useState({ row: id, email: newestId });
  if (place.row !== id || (!place.email && newestId)) setPlace({ row: id, email: newestId });

  if (!conversation) {
    return (
      <section className={style.reader} aria-busy>
        <EmptyState icon={MailX} title={t`This message is not here`}>
          <Trans>It may have been moved or deleted. Choose another one in the list.</Trans>
        </EmptyState>
      </section>
    );
  }

  const { emails } = conversation;
  // Drafts of answers are written on below.
  const read = emails.filter(({ keywords }) => !keywords.$draft);
  const newest = emails.at(-1);
  const subject = (emails[0] ?? newest)?.subject?.trim() || t`(no subject)`;
  const flagged = emails.some((one) => one.keywords.$flagged);
  const elsewhere = mailboxes.filter(
    (one) => one.id !== view.mailbox?.id && read.some((email) => email.mailboxIds[one.id]),
  );
  const last = read.at(-1);
  const rows = [id];
  return (
    <section className={style.reader} aria-label={subject}>
      <div className={style.tools} role="toolbar" aria-label={t`Message`}>
        <Tools
          rows={current}
          mailbox={view.mailbox?.id}
          role={view.mailbox?.role ?? null}
          deeds={deeds}
          back={back}
        />
        {last ? <More email={last} deeds={deeds} /> : null}
        <Steps step={step} hasBefore={hasBefore} hasAfter={hasAfter} />
      </div>
      <div ref={scroller} className={style.scroller}>
        <div className={style.column}>
          <header className={style.head}>
            {/* Beside the list, its heading is the page's first. */}
            {back ? (
              <h1 className={style.subject}>{subject}</h1>
            ) : (
              <h2 className={style.subject}>{subject}</h2>
            )}
            {labels.map((one) => (
              <Label key={one.id} name={one.name} colour={one.colour} />
            ))}
            {elsewhere.map((one) => (
              <Chip key={one.id}>{mailboxName(one, i18n)}</Chip>
            ))}
            {last ? <Unsubscribe key={last.id} email={last} deeds={deeds} /> : null}
            <span className={style.flag}>
              <IconButton
                icon={Star}
                tone="star"
                pressed={flagged}
                label={flagged ? t`Remove the star` : t`Star`}
                shortcut="S"
                onPress={() => deeds.star(rows, !flagged)}
              />
            </span>
          </header>
          <div className={style.messages}>
            {read.map((email, n) => (
              <Message
                key={email.id === place.email ? "place" : email.id}
                email={email}
                stays={email.id === place.email}
                last={n === read.length - 1}
                alone={read.length === 1}
                deeds={deeds}
              />
            ))}
          </div>
          <Replies key={id} emails={emails} />
        </div>
      </div>
    </section>
  );
}

interface ToolsProps {
  /** What is read. The same function from one message to the next, so that nothing here is drawn anew. */
  rows: () => readonly Id[];
  mailbox: Id | undefined;
  /** Of the mailbox that is looked at. */
  role: Role | null;
  deeds: Deeds;
  back: (() => void) | undefined;
}

const Tools = memo(function Tools({ rows, mailbox, role, deeds, back }: ToolsProps) {
  const { t, i18n } = useLingui();
  const mailboxes = useMailboxes();
  const organise = useOrganise();
  const away = useAway(role);
  return (
    <>
      {back ? <IconButton icon={ArrowLeft} label={t`Back to the list`} onPress={back} /> : null}
      <IconButton
        icon={Archive}
        label={t`Archive`}
        shortcut="E"
        onPress={() => deeds.archive(rows())}
      />
      <IconButton
        icon={Trash2}
        label={away.trash}
        shortcut="#"
        onPress={() => deeds.trash(rows())}
      />
      <IconButton
        icon={away.junkIcon}
        label={away.junk}
        shortcut="!"
        onPress={() => deeds.junk(rows())}
      />
      <span className={style.gap} />
      <IconButton
        icon={Mail}
        label={t`Mark as unread`}
        shortcut="⇧U"
        onPress={() => deeds.read(rows(), false)}
      />
      <IconButton
        icon={Tag}
        label={t`Labels`}
        shortcut="L"
        onPress={() => organise({ kind: "label", rows: rows() })}
      />
      <Menu label={t`Move to`} trigger={<IconButton icon={FolderInput} label={t`Move to`} />}>
        {mailboxes
          .filter((one) => one.id !== mailbox)
          .map((one) => (
            <MenuItem key={one.id} icon={mailboxIcon(one)} onAction={() => deeds.move(rows(), one)}>
              {mailboxName(one, i18n)}
            </MenuItem>
          ))}
      </Menu>
    </>
  );
});

const Steps = memo(function Steps({
  step,
  hasBefore,
  hasAfter,
}: Pick<ReaderProps, "step" | "hasBefore" | "hasAfter">) {
  const { t } = useLingui();
  return (
    <span className={style.steps}>
      <IconButton
        icon={ChevronUp}
        label={t`Newer`}
        shortcut="K"
        isDisabled={!hasBefore}
        onPress={() => step(-1)}
      />
      <IconButton
        icon={ChevronDown}
        label={t`Older`}
        shortcut="J"
        isDisabled={!hasAfter}
        onPress={() => step(1)}
      />
    </span>
  );
});
