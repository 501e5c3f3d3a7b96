import { useLingui } from "@lingui/react/macro";
import { Archive, Ban, Filter, FolderInput, Mail, MailOpen, Star, Tag, Trash2 } from "lucide-react";
import type { Id, Role } from "../../jmap/index.ts";
import { ContextMenu, MenuItem, MenuLine, type Point } from "../../ui/index.ts";
import type { Deeds } from "../deeds.ts";
import { useMail } from "../session.ts";
import { useAway } from "./away.ts";
import { useOrganise } from "./Organise.tsx";
import { useSenders } from "./senders.ts";

/** What can be done with rows, where one was pressed. */
export function RowMenu({
  rows,
  at,
  label,
  role,
  deeds,
  close,
}: {
  rows: readonly Id[];
  at: Point | undefined;
  label: string;
  /** Of the mailbox that they are in. */
  role: Role | null;
  deeds: Deeds;
  close: () => void;
}) {
  const { t } = useLingui();
  const { store } = useMail();
  const organise = useOrganise();
  const away = useAway(role);
  const { like, block } = useSenders(deeds);
  const [first, ...more] = rows;
  const email = first ? store.emails.get(first) : undefined;
  if (!at || !email) return null;
  const unread = !email.keywords.$seen;
  const starred = Boolean(email.keywords.$flagged);
  const sender = email.from?.[0]?.email ?? "";
  return (
    <ContextMenu at={at} close={close} label={label}>
      <MenuItem icon={Archive} shortcut="E" onAction={() => deeds.archive(rows)}>
        {t`Archive`}
      </MenuItem>
      <MenuItem icon={Trash2} shortcut="#" onAction={() => deeds.trash(rows)}>
        {away.trash}
      </MenuItem>
      <MenuItem icon={away.junkIcon} shortcut="!" onAction={() => deeds.junk(rows)}>
        {away.junk}
      </MenuItem>
      <MenuLine />
      <MenuItem icon={unread ? MailOpen : Mail} onAction={() => deeds.read(rows, unread)}>
        {unread ? t`Mark as read` : t`Mark as unread`}
      </MenuItem>
      <MenuItem icon={Star} shortcut="S" onAction={() => deeds.star(rows, !starred)}>
        {starred ? t`Remove the star` : t`Star`}
      </MenuItem>
      <MenuItem icon={FolderInput} shortcut="V" onAction={() => organise({ kind: "move", rows })}>
        {t`Move to`}
      </MenuItem>
      <MenuItem icon={Tag} shortcut="L" onAction={() => organise({ kind: "label", rows })}>
        {t`Labels`}
      </MenuItem>
      {more.length ? null : (
        <>
          <MenuLine />
          <MenuItem icon={Filter} onAction={() => void like(email)}>
            {t`Filter messages like this`}
          </MenuItem>
          {sender ? (
            <MenuItem icon={Ban} onAction={() => void block(email)}>
              {t`Block ${sender}`}
            </MenuItem>
          ) : null}
        </>
      )}
    </ContextMenu>
  );
}
