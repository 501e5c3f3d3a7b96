import { useLingui } from "@lingui/react/macro";
import { BookUser, Building2, type LucideIcon, Mail, Share2, UserRound, Users } from "lucide-react";
import type { MouseEvent } from "react";
import { addressOf, type ContactsPlace, go, type Place } from "../route/index.ts";
import { Wordmark } from "../ui/index.ts";
import style from "./Books.module.css";
import { useHere } from "./context.ts";
import { NewMenu } from "./NewMenu.tsx";
import { useBookName } from "./names.ts";

/** The address books: one's own, those that others share, the directory. `left`: told after one was chosen. */
export function Books({ place, left }: { place: ContactsPlace; left?: () => void }) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const nameOf = useBookName();
  const own = shelf.books.filter(({ account }) => account === shelf.client.account);
  const shared = shelf.books.filter(({ owner }) => owner);
  const directory = shelf.books.filter(({ isDirectory }) => isDirectory);

  const item = (to: Place, name: string, Icon: LucideIcon, about?: string) => {
    const here = to.at === "contacts" && to.book === place.book;
    function chosen(event: MouseEvent): void {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      go(to);
      left?.();
    }
    return (
      <li key={addressOf(to)}>
        <a
          href={addressOf(to)}
          aria-current={here ? "page" : undefined}
          className={style.item}
          onClick={chosen}
        >
          <Icon size={18} aria-hidden className={style.icon} />
          <span className={style.words}>
            <span className={style.name}>{name}</span>
            {about ? <span className={style.about}>{about}</span> : null}
          </span>
        </a>
      </li>
    );
  };
  const at = (book: string): Place => ({ at: "contacts", book });
  return (
    <div className={style.books}>
      <div className={style.head}>
        <Wordmark />
      </div>
      <div className={style.make}>
        <NewMenu place={place} />
      </div>
      <nav aria-label={t`Address books`} className={style.nav}>
        <ul className={style.list}>
          {item(at("all"), t`All contacts`, UserRound)}
          {item(at("groups"), t`Groups`, Users)}
          {directory.map((book) => item(at(book.id), nameOf(book), Building2))}
        </ul>
        {own.length ? (
          <>
            <h2 className={style.title}>{t`Address books`}</h2>
            <ul className={style.list}>
              {own.map((book) => item(at(book.id), nameOf(book), BookUser))}
            </ul>
          </>
        ) : null}
        {shared.length ? (
          <>
            <h2 className={style.title}>{t`Shared with me`}</h2>
            <ul className={style.list}>
              {shared.map((book) => item(at(book.id), nameOf(book), Share2, book.owner))}
            </ul>
          </>
        ) : null}
      </nav>
      <ul className={style.foot}>{item({ at: "mail", mailbox: "inbox" }, t`Mail`, Mail)}</ul>
    </div>
  );
}
