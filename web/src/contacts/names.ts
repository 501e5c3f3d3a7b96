/** What things are called. */
import { useLingui } from "@lingui/react/macro";
import type { Where } from "./form.ts";
import type { Book } from "./shelf.ts";

/** The name of a book, as its reader's language has it where the server named it. */
export function useBookName(): (book: Book) => string {
  const { t } = useLingui();
  return (book) => (book.isDirectory ? t`Directory` : book.name);
}

/** Where something is used. */
export function useWhere(): (where: Where) => string {
  const { t } = useLingui();
  return (where) =>
    ({
      "": "",
      private: t({ message: "Home", context: "address" }),
      work: t({ message: "Work", context: "address" }),
      mobile: t`Mobile`,
      fax: t`Fax`,
    })[where];
}
