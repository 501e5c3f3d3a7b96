import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { CloudOff, Menu, SearchX, UserRound, Users, X } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { Button as AriaButton, Input, SearchField } from "react-aria-components";
import { useKeys } from "../keys/index.ts";
import { usePrefs } from "../prefs/index.ts";
import { type ContactsPlace, go } from "../route/index.ts";
import { Button, EmptyState, IconButton, Skeleton } from "../ui/index.ts";
import { CardRows } from "./CardRows.tsx";
import { useCards, useHere } from "./context.ts";
import { Exchange } from "./Exchange.tsx";
import style from "./ListPane.module.css";
import { NewMenu } from "./NewMenu.tsx";
import { useBookName } from "./names.ts";

/** Between the last letter that is typed and the question. */
const PAUSE = 150;

export interface ListPaneProps {
  place: ContactsPlace;
  /** Shows the address books, where they are not beside. */
  openMenu: (() => void) | undefined;
}

/** The cards of a book, or of those that fit what is looked for. */
export function ListPane({ place, openMenu }: ListPaneProps) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const nameOf = useBookName();
  const [typed, setTyped] = useState("");
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => setText(typed.trim()), typed ? PAUSE : 0);
    return () => clearTimeout(timer);
  }, [typed]);
  const { shortcuts } = usePrefs();
  useKeys({ search: () => field.current?.focus() }, shortcuts);

  const groups = place.book === "groups";
  const book = shelf.books.find(({ id }) => id === place.book);
  const wanted = { account: shelf.accountOf(place.book), book: book?.id, groups, text };
  // Nothing is asked before it is known whose book it is.
  const list = shelf.list(wanted);
  useCards(list);
  const title = book ? nameOf(book) : groups ? t`Groups` : t`All contacts`;
  const shown = useDeferredValue(list);
  const count = shown.length;
  return (
    <div className={style.pane}>
      <div className={style.bar}>
        {openMenu ? <IconButton icon={Menu} label={t`Address books`} onPress={openMenu} /> : null}
        <SearchField
          aria-label={t`Search contacts`}
          className={style.search ?? ""}
          value={typed}
          onChange={setTyped}
          maxLength={500}
        >
          <Input ref={field} className={style.input ?? ""} placeholder={t`Search contacts`} />
          <AriaButton className={style.clear ?? ""} aria-label={t`End the search`}>
            <X size={16} aria-hidden />
          </AriaButton>
        </SearchField>
        {openMenu ? <NewMenu place={place} small /> : null}
      </div>
      <div className={style.head}>
        <h1 className={style.title}>{title}</h1>
        <span className={style.count} role="status">
          {shown.ready && (count || text)
            ? text
              ? plural(count, { one: "# found", other: "# found" })
              : plural(count, { one: "# contact", other: "# contacts" })
            : null}
        </span>
        <Exchange place={place} />
      </div>
      <div className={style.rows}>
        {shown.away ? (
          <EmptyState icon={CloudOff} title={t`This cannot be shown now`}>
            <p>
              <Trans>The server does not answer at the moment. Nothing is lost.</Trans>
            </p>
            <Button onPress={() => shown.need(0, 1)}>
              <Trans>Try again</Trans>
            </Button>
          </EmptyState>
        ) : shown.ready && !count ? (
          <Nothing text={text} groups={groups} place={place} />
        ) : (
          <CardRows
            list={shown}
            label={title}
            account={wanted.account}
            open={place.card}
            read={(card) => go({ ...place, card }, place.card ? "replace" : "push")}
          />
        )}
        {shown.ready || shown.away ? null : <Ghosts />}
      </div>
    </div>
  );
}

function Nothing({ text, groups, place }: { text: string; groups: boolean; place: ContactsPlace }) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const book = shelf.books.find(({ id }) => id === place.book);
  if (text) {
    return (
      <EmptyState icon={SearchX} title={t`Nothing found`}>
        <Trans>Names, addresses, numbers, organisations and notes are looked through.</Trans>
      </EmptyState>
    );
  }
  if (groups) {
    return (
      <EmptyState icon={Users} title={t`No groups yet`}>
        <p>
          <Trans>A group has several people, to all of whom one writes at once.</Trans>
        </p>
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={UserRound} title={t`No contacts yet`}>
      {book && !book.myRights.mayWrite ? null : (
        <p>
          <Trans>Make one, or bring them in from a vCard file (.vcf) by the menu above.</Trans>
        </p>
      )}
    </EmptyState>
  );
}

function Ghosts() {
  return (
    <div className={style.ghosts} aria-hidden>
      {[0, 1, 2, 3, 4].map((n) => (
        <div key={n} className={style.ghost}>
          <Skeleton width="half" />
          <Skeleton width="long" />
        </div>
      ))}
    </div>
  );
}
