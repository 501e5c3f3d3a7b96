import { plural } from "@lingui/core/macro";
import { useLingui } from "@lingui/react/macro";
import { Download, EllipsisVertical, Upload } from "lucide-react";
import { useRef, useState } from "react";
import type { CardsImported } from "../jmap/index.ts";
import type { ContactsPlace } from "../route/index.ts";
import { Dialog, IconButton, Menu, MenuItem, toasts } from "../ui/index.ts";
import { useHere } from "./context.ts";
import { bookFor } from "./form.ts";
import { useBookName } from "./names.ts";
import { wordsOf } from "./words.ts";

/** vCard files in and out of a book of one's own. */
export function Exchange({ place }: { place: ContactsPlace }) {
  const { t, i18n } = useLingui();
  const { shelf } = useHere();
  const nameOf = useBookName();
  const chooser = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState<CardsImported>();
  const own = shelf.client.account;
  const here = shelf.books.find(({ id }) => id === place.book);
  const book = bookFor(shelf.books, place.book, own);
  // What is shared is brought in and out by whoever it belongs to.
  if (!shelf.exchanges || !book || (here && here.account !== own)) return null;

  async function bring(files: readonly File[]): Promise<void> {
    if (!book || book.account !== own) return;
    for (const file of files) {
      try {
        const done = await shelf.import(file, book.id);
        if (done.refused) setTold(done);
        else toasts.show(said(done), undoing(done.created));
      } catch (error) {
        toasts.show(wordsOf(error, i18n));
      }
    }
  }

  function said({ created, updated, same }: CardsImported): string {
    const made = created.length;
    const parts = [
      plural(made, { one: "# contact imported", other: "# contacts imported" }),
      updated ? plural(updated, { one: "# changed", other: "# changed" }) : "",
      same ? plural(same, { one: "# was there", other: "# were there" }) : "",
    ];
    return parts.filter(Boolean).join(" · ");
  }

  function undoing(created: CardsImported["created"]) {
    if (!created.length) return undefined;
    const run = () =>
      void shelf.remove(created).catch((error) => toasts.show(wordsOf(error, i18n)));
    return { words: t`Undo`, run };
  }

  const whole = here ?? book;
  const from = here ? here.id : "all";
  return (
    <>
      <Menu
        label={t`More`}
        trigger={<IconButton icon={EllipsisVertical} label={t`Import and export`} />}
      >
        <MenuItem icon={Upload} onAction={() => chooser.current?.click()}>
          {t`Import a vCard file into ${nameOf(book)}`}
        </MenuItem>
        <MenuItem
          icon={Download}
          onAction={() => location.assign(`/jmap/export/${own}/${from}?form=vcard`)}
        >
          {here ? t`Export ${nameOf(whole)} as a vCard file` : t`Export all as a vCard file`}
        </MenuItem>
      </Menu>
      <input
        ref={chooser}
        type="file"
        className="visually-hidden"
        accept=".vcf,.vcard,text/vcard,text/x-vcard"
        multiple
        tabIndex={-1}
        aria-label={t`Files of contacts`}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void bring(files);
        }}
      />
      <Dialog
        open={Boolean(told)}
        close={() => setTold(undefined)}
        title={t`Not all could be imported`}
        closeLabel={t`Close`}
      >
        {told ? (
          <>
            <p>
              {said(told)} · {plural(told.refused, { one: "# refused", other: "# refused" })}
            </p>
            <ul>
              {told.problems.map((one) => (
                <li key={one}>{one}</li>
              ))}
            </ul>
          </>
        ) : null}
      </Dialog>
    </>
  );
}
