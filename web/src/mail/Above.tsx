/** What lies above the mail when it is asked for: the palette, the list of keys, and a welcome the first time.
    Each is a piece of its own. */
import { useLingui } from "@lingui/react/macro";
import { type RefObject, useEffect, useState } from "react";
import { KeyTable } from "../keys/index.ts";
import type { Command } from "../palette/index.ts";
import { welcomed } from "../prefs/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { recent } from "../search/index.ts";
import { Dialog } from "../ui/index.ts";
import { useCommands } from "./commands.ts";
import { useMail } from "./session.ts";

export type AboveName = "palette" | "keys";

/** After the mail is there, until somebody new is welcomed. */
const SOON = 600;

type PalettePiece = typeof import("../palette/index.ts");
type WelcomePiece = typeof import("../welcome/index.ts");

export interface AboveProps {
  shown: AboveName | undefined;
  show: (name: AboveName | undefined) => void;
  place: MailPlace;
  phone: boolean;
  /** What can be done with what is open or marked. */
  deeds: RefObject<() => readonly Command[]>;
}

export function Above({ shown, show, place, phone, deeds }: AboveProps) {
  const { t } = useLingui();
  const [palette, setPalette] = useState<PalettePiece>();
  useEffect(() => {
    if (shown === "palette") void import("../palette/index.ts").then(setPalette);
  }, [shown]);
  const close = () => show(undefined);
  return (
    <>
      {shown === "palette" && palette ? (
        <Listed piece={palette} close={close} place={place} deeds={deeds} show={show} />
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
    </>
  );
}

function Listed({
  piece,
  close,
  place,
  deeds,
  show,
}: Pick<AboveProps, "place" | "deeds" | "show"> & { piece: PalettePiece; close: () => void }) {
  const everywhere = useCommands(() => show("keys"));
  // As it was when the palette was opened: what is done by it is done to that.
  const [here] = useState(() => deeds.current());
  return (
    <piece.Palette
      commands={[...here, ...everywhere]}
      search={(search) => {
        recent.add(search);
        go({ ...place, search, message: undefined });
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
