import { useLingui } from "@lingui/react/macro";
import { Plus, UserRoundPlus, UsersRound } from "lucide-react";
import type { ContactsPlace } from "../route/index.ts";
import { Button, IconButton, Menu, MenuItem } from "../ui/index.ts";
import { useHere } from "./context.ts";
import { bookFor } from "./form.ts";

/** What makes a contact or a group: where nothing may be written, in one's own first book. */
export function NewMenu({ place, small }: { place: ContactsPlace; small?: boolean }) {
  const { t } = useLingui();
  const { shelf, edit } = useHere();
  const book = bookFor(shelf.books, place.book, shelf.client.account);
  const isDisabled = !book;
  const begin = (group: boolean) => book && edit({ account: book.account, book: book.id, group });
  return (
    <Menu
      label={t`New contact`}
      trigger={
        small ? (
          <IconButton icon={Plus} label={t`New contact`} isDisabled={isDisabled} />
        ) : (
          <Button kind="primary" icon={Plus} wide isDisabled={isDisabled}>
            {t`New contact`}
          </Button>
        )
      }
    >
      <MenuItem icon={UserRoundPlus} onAction={() => begin(false)}>
        {t`A person`}
      </MenuItem>
      <MenuItem icon={UsersRound} onAction={() => begin(true)}>
        {t`A group`}
      </MenuItem>
    </Menu>
  );
}
