/** What is done with rows besides the deeds of one key: moved and labelled by name, made into filters. */
import { useLingui } from "@lingui/react/macro";
import {
  type ComponentType,
  createContext,
  type ReactNode,
  type RefObject,
  useCallback,
  useContext,
  useEffect,
  useState,
} from "react";
import type { FilterRule, Id, MailLabel } from "../../jmap/index.ts";
import type { Point } from "../../ui/index.ts";
import { type Deeds, messagesOf } from "../deeds.ts";
import { useMail } from "../session.ts";
import type { View } from "../view.ts";
import { onDropped } from "./dropping.ts";
import { PickFolder, PickLabels } from "./Pick.tsx";
import { RowMenu } from "./RowMenu.tsx";

export type Asked =
  | { readonly kind: "move" | "label"; readonly rows: readonly Id[] }
  | { readonly kind: "menu"; readonly rows: readonly Id[]; readonly at: Point }
  | { readonly kind: "filter"; readonly rule: FilterRule };

const OrganiseContext = createContext<(asked: Asked) => void>(() => {});

/** Asks where to, which label, or what else. */
export const useOrganise = () => useContext(OrganiseContext);

type FilterDialog = ComponentType<{ begun: FilterRule; close: () => void }>;

export function Organise({
  view,
  deeds,
  asks,
  children,
}: {
  view: View;
  deeds: Deeds;
  /** Learns how to ask, for who is not within: keys. */
  asks: RefObject<(asked: Asked) => void>;
  children: ReactNode;
}) {
  const { t } = useLingui();
  const { store } = useMail();
  const [asked, set] = useState<Asked>();
  const ask = useCallback((next: Asked | undefined) => {
    if (!(next && "rows" in next) || next.rows.length) set(next);
  }, []);
  asks.current = ask;
  const [Filter, setFilter] = useState<FilterDialog>();
  const close = () => ask(undefined);
  const wanted = asked?.kind === "filter";
  useEffect(() => {
    // The form of a filter is a piece of its own.
    if (wanted) void import("./FilterDialog.tsx").then((piece) => setFilter(() => piece.default));
  }, [wanted]);
  useEffect(
    () =>
      onDropped((rows, on) => {
        if ("mailbox" in on) deeds.move(rows, on.mailbox);
        else deeds.label(rows, on.label, true);
      }),
    [deeds],
  );

  function has(rows: readonly Id[], label: MailLabel): boolean {
    const ids = rows.flatMap((row) => messagesOf(store, view, row));
    return ids.length > 0 && ids.every((id) => store.emails.get(id)?.keywords[label.id]);
  }

  return (
    <OrganiseContext value={ask}>
      {children}
      {asked?.kind === "move" ? (
        <PickFolder
          from={view.mailbox?.id}
          pick={(to) => deeds.move(asked.rows, to)}
          close={close}
        />
      ) : asked?.kind === "label" ? (
        <PickLabels
          has={(label) => has(asked.rows, label)}
          turn={(label, on) => deeds.label(asked.rows, label, on)}
          close={close}
        />
      ) : asked?.kind === "filter" && Filter ? (
        <Filter begun={asked.rule} close={close} />
      ) : null}
      <RowMenu
        rows={asked?.kind === "menu" ? asked.rows : []}
        at={asked?.kind === "menu" ? asked.at : undefined}
        label={t`Message`}
        role={view.mailbox?.role ?? null}
        deeds={deeds}
        close={() => set((now) => (now?.kind === "menu" ? undefined : now))}
      />
    </OrganiseContext>
  );
}
