import { useLingui } from "@lingui/react/macro";
import { Archive, type LucideIcon, Mail, MailOpen, Paperclip, Star, Trash2 } from "lucide-react";
import { type MouseEvent, memo } from "react";
import { shortDate } from "../i18n/index.ts";
import type { Id, Role, Snippet } from "../jmap/index.ts";
import { near, runs } from "../search/index.ts";
import { Avatar, classes, Label, Skeleton } from "../ui/index.ts";
import type { Deeds } from "./deeds.ts";
import { useFolders, useRow } from "./hooks.ts";
import style from "./ListRow.module.css";
import { peopleNames, personName } from "./names.ts";
import { useAway } from "./organise/away.ts";
import { useLabelsOf } from "./organise/labels.ts";
import { useMail } from "./session.ts";

export interface ListRowProps {
  id: Id | undefined;
  index: number;
  top: number;
  conversations: boolean;
  /** Whether it was searched for, and so says where it is. */
  found: boolean;
  snippet: Snippet | undefined;
  outgoing: boolean;
  /** Of the mailbox that is looked at. */
  role: Role | null;
  open: boolean;
  marked: boolean;
  marking: boolean;
  /** Whether Tab comes to it. */
  reached: boolean;
  deeds: Deeds;
  press: (id: Id, how: "open" | "mark" | "range") => void;
}

const NONE = {};

/** A row of the list: who, what, when. */
export const ListRow = memo(function ListRow(props: ListRowProps) {
  const { id, index, top, conversations, outgoing, open, marked, marking, reached, deeds, press } =
    props;
  const { found, snippet, role } = props;
  const { t } = useLingui();
  const row = useRow(id, conversations, outgoing);
  const folders = useFolders(row?.email, found);
  const away = useAway(role);
  const labels = useLabelsOf(row?.email.keywords ?? NONE);
  const own = useMail().client.session.username;

  const place = { transform: `translateY(${top}px)` };
  if (!id || !row) {
    return (
      <div role="row" aria-rowindex={index + 1} aria-busy className={style.row} style={place}>
        <div role="gridcell" className={style.waiting}>
          <Skeleton width="half" />
          <Skeleton width="long" />
        </div>
      </div>
    );
  }

  const { email, unread, flagged, count } = row;
  const first = row.people[0] ?? { name: null, email: "" };
  const who = peopleNames(row.people, own, t`me`) || t`(nobody)`;
  const subject = email.subject?.trim() || t`(no subject)`;
  const date = shortDate(email.receivedAt);
  const label = [
    unread ? t`Unread` : "",
    flagged ? t`Starred` : "",
    who,
    subject,
    count > 1 ? t`${count} messages` : "",
    date,
    row.hasAttachment ? t`With attachments` : "",
    folders,
    labels.map(({ name }) => name).join(", "),
    email.preview,
  ];

  function pressed(event: MouseEvent): void {
    if (!id) return;
    if (event.shiftKey) press(id, "range");
    else press(id, event.ctrlKey || event.metaKey ? "mark" : "open");
  }

  return (
    <div
      role="row"
      aria-rowindex={index + 1}
      aria-selected={marked}
      aria-label={label.filter(Boolean).join(", ")}
      aria-current={open || undefined}
      tabIndex={reached ? 0 : -1}
      draggable
      data-id={id}
      data-unread={unread || undefined}
      data-open={open || undefined}
      data-marked={marked || undefined}
      className={classes(style.row, marking && style.marking)}
      style={place}
      onClick={pressed}
    >
      <div role="gridcell" className={style.cell}>
        <span
          className={style.face}
          onClick={(event) => {
            event.stopPropagation();
            press(id, event.shiftKey ? "range" : "mark");
          }}
        >
          <span className={style.mark} aria-hidden />
          <Avatar name={personName(first)} email={first.email} />
        </span>
        <span className={style.who}>
          <span className={style.names}>
            {row.draft ? <span className={style.draft}>{t`Draft`} </span> : null}
            {who}
          </span>
          {count > 1 ? <span className={style.count}>{count}</span> : null}
        </span>
        <span className={style.when}>
          {folders ? <span className={style.folder}>{folders}</span> : null}
          {row.hasAttachment ? <Paperclip size={14} aria-hidden className={style.clip} /> : null}
          {flagged ? <Star size={14} aria-hidden className={style.star} /> : null}
          <time dateTime={email.receivedAt}>{date}</time>
        </span>
        <span className={style.subject}>
          <Found html={snippet?.subject} text={subject} />
        </span>
        <span className={style.preview}>
          {labels.map((one) => (
            <span key={one.id} className={style.label}>
              <Label name={one.name} colour={one.colour} />
            </span>
          ))}
          <Found html={snippet?.preview} text={email.preview} short />
        </span>
        {/* For the pointer; by keyboard each has its key and the toolbar its button. */}
        <span className={style.quick} aria-hidden>
          <Quick icon={Archive} title={t`Archive`} run={() => deeds.archive([id])} />
          <Quick icon={Trash2} title={away.trash} run={() => deeds.trash([id])} />
          <Quick
            icon={unread ? MailOpen : Mail}
            title={unread ? t`Mark as read` : t`Mark as unread`}
            run={() => deeds.read([id], unread)}
          />
          <Quick
            icon={Star}
            title={flagged ? t`Remove the star` : t`Star`}
            run={() => deeds.star([id], !flagged)}
          />
        </span>
      </div>
    </div>
  );
});

interface FoundProps {
  html: string | null | undefined;
  text: string;
  /** Whether it is to begin shortly before what was found. */
  short?: boolean;
}

/** A text, with what was searched for marked in it where the server says so. */
function Found({ html, text, short = false }: FoundProps) {
  if (!html) return text;
  const found = runs(html);
  return (short ? near(found) : found).map(({ text: run, marked }, n) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: runs of one text stay where they are
    marked ? <mark key={n}>{run}</mark> : <span key={n}>{run}</span>,
  );
}

function Quick({ icon: Icon, title, run }: { icon: LucideIcon; title: string; run: () => void }) {
  return (
    <button
      type="button"
      tabIndex={-1}
      title={title}
      className={style.button}
      onClick={(event) => {
        event.stopPropagation();
        run();
      }}
    >
      <Icon size={17} />
    </button>
  );
}
