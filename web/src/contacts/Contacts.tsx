import { Trans, useLingui } from "@lingui/react/macro";
import { BookUser, CloudOff } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import type { Address, JmapClient } from "../jmap/index.ts";
import { useKeys } from "../keys/index.ts";
import { usePrefs } from "../prefs/index.ts";
import { type ContactsPlace, go } from "../route/index.ts";
import { Button, Drawer, EmptyState, ToastRegion } from "../ui/index.ts";
import { Books } from "./Books.tsx";
import { CardPane } from "./CardPane.tsx";
import style from "./Contacts.module.css";
import { type Editing, HereContext, useHere, usePhone, useRoomy } from "./context.ts";
import { Editor } from "./Editor.tsx";
import { ListPane } from "./ListPane.tsx";
import { Shelf } from "./shelf.ts";

export interface ContactsProps {
  place: ContactsPlace;
  client: JmapClient;
  /** Begin a message to somebody. */
  write: (to: readonly Address[]) => void;
}

/** Address books, the cards of one, and a card. Where there is less room, one after the other. */
export function Contacts({ place, client, write }: ContactsProps) {
  const shelf = useMemo(() => new Shelf(client), [client]);
  useEffect(() => shelf.start(), [shelf]);
  const [editing, setEditing] = useState<Editing>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what writes is the same throughout
  const here = useMemo(() => ({ shelf, write, edit: setEditing }), [shelf]);
  return (
    <HereContext value={here}>
      <Panes place={place} />
      {editing ? (
        <Editor
          what={editing}
          close={() => setEditing(undefined)}
          made={(card) => go({ ...place, card })}
        />
      ) : null}
    </HereContext>
  );
}

function Panes({ place }: { place: ContactsPlace }) {
  const { t } = useLingui();
  const { shelf } = useHere();
  const roomy = useRoomy();
  const phone = usePhone();
  const [drawer, setDrawer] = useState(false);
  const book = shelf.books.find(({ id }) => id === place.book);
  useEffect(() => {
    document.title = `${book && !book.isDirectory ? book.name : t`Contacts`} – Malleposte`;
  }, [book, t]);

  const { shortcuts } = usePrefs();
  const leave = () => go({ ...place, card: undefined });
  useKeys({ back: leave, leave }, shortcuts);

  const listShown = !phone || !place.card;
  const known = book || place.book === "all" || place.book === "groups";
  return (
    <div className={style.contacts} data-roomy={roomy || undefined}>
      {roomy ? (
        <aside className={style.side}>
          <Books place={place} />
        </aside>
      ) : (
        <Drawer open={drawer} close={() => setDrawer(false)} label={t`Address books`}>
          <Books place={place} left={() => setDrawer(false)} />
        </Drawer>
      )}
      <main className={style.panes}>
        {shelf.state === "away" ? (
          <EmptyState icon={CloudOff} title={t`Your contacts cannot be reached`}>
            <p>
              <Trans>The server does not answer at the moment. Nothing is lost.</Trans>
            </p>
            <Button kind="primary" onPress={() => void shelf.look()}>
              <Trans>Try again</Trans>
            </Button>
          </EmptyState>
        ) : shelf.state === "ready" && !known ? (
          <EmptyState icon={BookUser} title={t`This address book is not here`}>
            <p>
              <Trans>It may have been deleted, or is not shared any more.</Trans>
            </p>
            <Button onPress={() => go({ at: "contacts", book: "all" }, "replace")}>
              <Trans>All contacts</Trans>
            </Button>
          </EmptyState>
        ) : (
          <>
            {listShown ? (
              <ListPane
                key={place.book}
                place={place}
                openMenu={roomy ? undefined : () => setDrawer(true)}
              />
            ) : null}
            {place.card ? (
              <CardPane
                key={place.card}
                id={place.card}
                place={place}
                back={phone ? () => go({ ...place, card: undefined }) : undefined}
              />
            ) : phone ? null : (
              <div className={style.nothing}>
                <EmptyState icon={BookUser} title={t`No contact is open`}>
                  <Trans>Choose one in the list.</Trans>
                </EmptyState>
              </div>
            )}
          </>
        )}
      </main>
      <ToastRegion label={t`Notices`} closeLabel={t`Close`} />
    </div>
  );
}
