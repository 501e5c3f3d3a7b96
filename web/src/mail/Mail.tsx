import { Trans, useLingui } from "@lingui/react/macro";
import { CloudOff } from "lucide-react";
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { RequestError } from "../jmap/index.ts";
import { prefs } from "../prefs/index.ts";
import type { ContactsPlace, MailPlace } from "../route/index.ts";
import type { MailStore } from "../store/index.ts";
import { Button, EmptyState, toasts } from "../ui/index.ts";
import { Above } from "./Above.tsx";
import style from "./Mail.module.css";
import { People } from "./People.tsx";
import { Shell } from "./Shell.tsx";
import { MailContext, type MailSession, openMail } from "./session.ts";
import { viewOf } from "./view.ts";
import { Writings } from "./Writings.tsx";

export interface MailProps {
  place: MailPlace | ContactsPlace;
  /** The session has ended, on the server. */
  ended: () => void;
  signOut: () => void;
}

/** Mail of who is signed in, from the first request on. */
export default function Mail({ place, ended, signOut }: MailProps) {
  const [mail, setMail] = useState<MailSession | "away" | undefined>();
  const [tries, setTries] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: tried again on demand
  useEffect(() => {
    function ahead(store: MailStore): void {
      if (place.at !== "mail" || place.search) return;
      const view = viewOf(place, store.mailboxes.all, prefs.get().conversations, []);
      if (view) store.need(store.list(view.spec), 0, 1);
    }
    let session: MailSession | undefined;
    let left = false;
    openMail(ahead).then(
      (opened) => {
        if (left) return opened.stop();
        session = opened;
        setMail(opened);
      },
      (error: unknown) => {
        if (left) return;
        if (error instanceof RequestError && error.trouble === "signedOut") ended();
        else setMail("away");
      },
    );
    return () => {
      left = true;
      session?.stop();
    };
  }, [tries]);

  // What is being written is saved before who writes it signs out.
  const flush = useRef(async () => true);
  const flushing = useCallback((how: () => Promise<boolean>) => {
    flush.current = how;
  }, []);

  if (mail === "away") return <Away again={() => [setMail(undefined), setTries(tries + 1)]} />;
  if (!mail) return null;
  return (
    <MailContext value={mail}>
      <Troubles mail={mail} ended={ended} />
      <Writings flushing={flushing}>
        <Above place={place}>
          {place.at === "contacts" ? (
            <People place={place} />
          ) : (
            <Shell place={place} signOut={() => void flush.current().finally(signOut)} />
          )}
        </Above>
      </Writings>
    </MailContext>
  );
}

function Away({ again }: { again: () => void }) {
  const { t } = useLingui();
  return (
    <main className={style.away}>
      <EmptyState icon={CloudOff} title={t`Your mail cannot be reached`}>
        <p>
          <Trans>The server does not answer at the moment. Nothing is lost.</Trans>
        </p>
        <Button kind="primary" onPress={again}>
          <Trans>Try again</Trans>
        </Button>
      </EmptyState>
    </main>
  );
}

/** What is said when the server cannot be asked, or refuses. */
function Troubles({ mail, ended }: { mail: MailSession; ended: () => void }) {
  const { t } = useLingui();
  const { sender, refused } = mail.store;
  const trouble = useSyncExternalStore(sender.signal.subscribe, () => sender.trouble);
  useEffect(() => {
    if (trouble === "signedOut") ended();
  }, [trouble, ended]);
  useEffect(
    () =>
      refused.subscribe(() =>
        toasts.show(t`The server refused this; everything is as it was before.`),
      ),
    [refused, t],
  );
  if (!trouble || trouble === "signedOut" || trouble === "refused") return null;
  return (
    <p className={style.offline} role="status">
      <CloudOff size={16} aria-hidden />
      {trouble === "offline" ? (
        <Trans>No connection. What you do is kept and sent as soon as there is one.</Trans>
      ) : (
        <Trans>The server is busy. What you do is kept and sent as soon as it answers.</Trans>
      )}
    </p>
  );
}
