import { useLingui } from "@lingui/react/macro";
import {
  BookUser,
  Cake,
  Globe,
  type LucideIcon,
  Mail,
  MapPin,
  NotebookPen,
  Phone,
} from "lucide-react";
import { Fragment, type ReactNode } from "react";
import type { Card, Labelled } from "../jmap/index.ts";
import { addressLines, dateOf, fullName, inOrder, isGroup, safeUri } from "./card.ts";
import { useHere } from "./context.ts";
import style from "./Details.module.css";
import { whereOf } from "./form.ts";
import { useBookName, useWhere } from "./names.ts";
import type { Book } from "./shelf.ts";

interface Row {
  readonly key: string;
  readonly shown: ReactNode;
  readonly about: string;
}

/** All that is known of somebody, a line each. */
export function Details({ card, books }: { card: Card; books: readonly Book[] }) {
  const { t, i18n } = useLingui();
  const { write } = useHere();
  const nameOf = useBookName();
  const whereName = useWhere();
  const about = (one: Labelled) => one.label || whereName(whereOf(one));

  const emails = inOrder(card.emails).map((one) => ({
    key: one.address,
    about: about(one),
    shown: (
      <a
        href={`mailto:${encodeURIComponent(one.address)}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.button) return;
          event.preventDefault();
          write([{ name: fullName(card) || null, email: one.address }]);
        }}
      >
        {one.address}
      </a>
    ),
  }));
  const phones = inOrder(card.phones).map((one) => ({
    key: one.number,
    about: about(one),
    shown: <a href={`tel:${one.number.replace(/[^\d+*#;=a-z-]/gi, "")}`}>{one.number}</a>,
  }));
  const addresses = inOrder(card.addresses).map((one) => ({
    key: addressLines(one).join(),
    about: about(one),
    shown: addressLines(one).map((line, n) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text
      <Fragment key={n}>
        {n ? <br /> : null}
        {line}
      </Fragment>
    )),
  }));
  const links = [...inOrder(card.links), ...inOrder(card.onlineServices)].flatMap((one) => {
    const { uri, user, service } = one as { uri?: string; user?: string; service?: string };
    const href = safeUri(uri);
    const words = user || uri;
    if (!words) return [];
    const shown = href ? (
      <a key={href} href={href} target="_blank" rel="noopener noreferrer">
        {words}
      </a>
    ) : (
      words
    );
    return [{ key: words, about: service || about(one), shown }];
  });
  const days = inOrder(card.anniversaries).flatMap(({ kind, date }) => {
    const found = dateOf(date ?? {});
    if (!found) return [];
    const shown = new Intl.DateTimeFormat(i18n.locale, {
      day: "numeric",
      month: "long",
      ...(found.withYear ? { year: "numeric" } : {}),
      timeZone: "UTC",
    }).format(found.text);
    const words =
      kind === "birth" ? t`Birthday` : kind === "wedding" ? t`Wedding day` : t`Anniversary`;
    return [{ key: kind + shown, about: words, shown }];
  });
  const notes = inOrder(card.notes).flatMap(({ note }) =>
    note ? [{ key: note, about: "", shown: <span className={style.note}>{note}</span> }] : [],
  );
  const kept = books.map((book) => ({ key: book.id, about: "", shown: nameOf(book) }));

  const part = (name: string, icon: LucideIcon, rows: readonly Row[]) =>
    rows.length ? <Part key={name} name={name} icon={icon} rows={rows} /> : null;
  return (
    <dl className={style.details}>
      {isGroup(card) && !emails.length
        ? null
        : part(t({ message: "Mail", context: "of a contact" }), Mail, emails)}
      {part(t`Telephone`, Phone, phones)}
      {part(t`Address`, MapPin, addresses)}
      {part(t`On the web`, Globe, links)}
      {part(t`Days`, Cake, days)}
      {part(t`Notes`, NotebookPen, notes)}
      {part(t`Address book`, BookUser, kept)}
    </dl>
  );
}

function Part({
  name,
  icon: Icon,
  rows,
}: {
  name: string;
  icon: LucideIcon;
  rows: readonly Row[];
}) {
  return (
    <div className={style.part}>
      <dt className={style.name}>
        <Icon size={17} aria-hidden />
        {name}
      </dt>
      {rows.map(({ key, shown, about }) => (
        <dd key={key} className={style.row}>
          <span className={style.shown}>{shown}</span>
          {about ? <span className={style.about}>{about}</span> : null}
        </dd>
      ))}
    </div>
  );
}
