/** What lies above the mail when it is asked for: the palette, the list of keys, and a welcome the first time.
    Each is a piece of its own. */
import { useLingui } from "@lingui/react/macro";
import {
  createContext,
  type ReactNode,
  type RefObject,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Id } from "../jmap/index.ts";
import { KeyTable, useKeys } from "../keys/index.ts";
import type { Command } from "../palette/index.ts";
import { usePrefs, welcomed } from "../prefs/index.ts";
import { go, type Place } from "../route/index.ts";
import { recent } from "../search/index.ts";
import { Dialog, toasts } from "../ui/index.ts";
import { useCommands } from "./commands.ts";
import { useMedia } from "./hooks.ts";
import { useMail } from "./session.ts";
import { useWriting } from "./writing.ts";

type AboveName = "palette" | "keys";

/** After the mail is there, until somebody new is welcomed. */
const SOON = 600;

type PalettePiece = typeof import("../palette/index.ts");
type WelcomePiece = typeof import("../welcome/index.ts");

interface Reached {
  /** What can be done with what is open or marked: set by whoever shows it. */
  readonly deeds: RefObject<() => readonly Command[]>;
  showKeys(): void;
}

const AboveContext = createContext<Reached>({
  deeds: { current: () => [] },
  showKeys() {},
});

export const useAbove = () => useContext(AboveContext);

/** Around all that is shown; the keys that go elsewhere are heard wherever one is. */
export function Above({ place, children }: { place: Place; children: ReactNode }) {
  const { t } = useLingui();
  const { store } = useMail();
  const { shortcuts } = usePrefs();
  const phone = useMedia("(max-width: 640px)");
  const writing = useWriting();
  const deeds = useRef<Reached["deeds"]["current"]>(() => []);
  const [shown, show] = useState<AboveName>();
  const [palette, setPalette] = useState<PalettePiece>();
  useEffect(() => {
    if (shown === "palette") void import("../palette/index.ts").then(setPalette);
  }, [shown]);
  useKeys(
    {
      palette: () => show("palette"),
      help: () => show("keys"),
      compose: () => writing.compose(),
      undo: () => toasts.undo(),
      ...goes(store.mailboxes.role.bind(store.mailboxes)),
    },
    shortcuts,
  );
  const reached = useMemo(() => ({ deeds, showKeys: () => show("keys") }), []);
  const close = () => show(undefined);
  return (
    <AboveContext value={reached}>
      {children}
      {shown === "palette" && palette ? (
        <Listed piece={palette} close={close} place={place} showKeys={reached.showKeys} />
      ) : null}
      <Dialog
        open={shown === "keys"}
        close={close}
        title={t`What keys do`}
        closeLabel={t`Close`}
        size="wide"
      >
        <KeyTable />
      </Dialog>
      {shown ? null : <Newcomer phone={phone} />}
    </AboveContext>
  );
}

/** Keys that lead to a mailbox. */
function goes(role: (name: "inbox" | "drafts" | "sent" | "archive") => { id: Id } | undefined) {
  const to = (name: Parameters<typeof role>[0]) => () => {
    const found = role(name);
    if (found) go({ at: "mail", mailbox: found.id });
  };
  return {
    inbox: to("inbox"),
    drafts: to("drafts"),
    sent: to("sent"),
    archived: to("archive"),
    starred: () => go({ at: "mail", mailbox: "inbox", search: "is:starred" }),
    contacts: () => go({ at: "contacts", book: "all" }),
  };
}

interface ListedProps {
  piece: PalettePiece;
  close: () => void;
  place: Place;
  showKeys: () => void;
}

function Listed({ piece, close, place, showKeys }: ListedProps) {
  const { deeds } = useAbove();
  const everywhere = useCommands(showKeys);
  // As it was when the palette was opened: what is done by it is done to that.
  const [here] = useState(() => deeds.current());
  return (
    <piece.Palette
      commands={[...here, ...everywhere]}
      search={(search) => {
        recent.add(search);
        const mailbox = place.at === "mail" ? place.mailbox : "inbox";
        go({ at: "mail", mailbox, search });
      }}
      close={close}
    />
  );
}

/** Somebody whose mail was not in this browser before. */
function Newcomer({ phone }: { phone: boolean }) {
  const { account } = useMail().client;
  const [piece, setPiece] = useState<WelcomePiece>();
  useEffect(() => {
    if (welcomed.is(account)) return;
    const timer = setTimeout(() => void import("../welcome/index.ts").then(setPiece), SOON);
    return () => clearTimeout(timer);
  }, [account]);
  if (!piece) return null;
  function close(): void {
    welcomed.add(account);
    setPiece(undefined);
  }
  return <piece.Welcome phone={phone} close={close} />;
}
