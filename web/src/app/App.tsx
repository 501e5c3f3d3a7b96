import { I18nProvider, useLingui } from "@lingui/react";
import { useLingui as useTexts } from "@lingui/react/macro";
import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { I18nProvider as AriaI18n } from "react-aria-components";
import { agree, i18n } from "../i18n/index.ts";
import { forgetMail, forgetWritten, Mail } from "../mail/index.ts";
import { usePlace } from "../route/index.ts";
import { arrived, leaving, SignIn, leave as signOut, state } from "../signin/index.ts";
import { toasts } from "../ui/index.ts";
import { newer } from "./update.ts";

// A piece of its own, loaded when it is needed. Not by React's Suspense, which holds back what has come for 300 ms
// where it showed that it waits.
const loadSettings = () => import("../settings/index.ts");

type Who = "unknown" | "in" | "out";

/** Whether somebody is signed in; in their language, where none was chosen in this browser. */
async function look(): Promise<"in" | "out"> {
  if (leaving()) {
    // Where that fails it is tried at the next visit; until then nobody is in.
    await signOut().catch(() => undefined);
    return "out";
  }
  const who = await state();
  if (who === "nobody") return "out";
  if (who !== "away") await agree(who.locale);
  return "in";
}

export function App() {
  return (
    <I18nProvider i18n={i18n}>
      <Signed />
    </I18nProvider>
  );
}

/** What a piece exports, once it is wanted and there. */
function usePiece<T>(load: () => Promise<T>, wanted: boolean): T | undefined {
  const [piece, setPiece] = useState<T>();
  useEffect(() => {
    if (wanted) void load().then((loaded) => setPiece(() => loaded));
  }, [load, wanted]);
  return piece;
}

/** A newer client is there: it is taken when its person says so, and what is being written is kept. */
function useNewer(): void {
  const { t } = useTexts();
  const there = useSyncExternalStore(newer.subscribe, () => newer.there);
  useEffect(() => {
    if (!there) return;
    const action = { words: t`Load it`, run: () => newer.take(), leads: true };
    toasts.show(t`A newer version of this page is there.`, action);
  }, [there, t]);
}

function Signed() {
  useNewer();
  const { i18n } = useLingui();
  const place = usePlace();
  const [who, setWho] = useState<Who>("unknown");
  const settings = usePiece(loadSettings, who === "in" && place.at === "settings");
  useEffect(() => {
    // Where the server cannot be asked, what is kept of the mail stays, and is tried to be opened.
    void look().then(setWho);
  }, []);
  useEffect(() => {
    // Nobody is signed in: whoever comes next finds nothing of who was here before.
    if (who === "out") void forgetMail();
  }, [who]);
  const signedIn = useCallback(() => {
    arrived();
    void look().then(setWho);
  }, []);
  const ended = useCallback(() => setWho("out"), []);
  const leave = useCallback(() => {
    const gone = async () => {
      // On purpose: drafts too are forgotten, which are kept where a session has only ended.
      await forgetWritten();
      setWho("out");
    };
    void signOut().then(gone, gone);
  }, []);

  function shown() {
    if (who === "out") return <SignIn onSignedIn={signedIn} />;
    // Mail asks for itself, and has what was kept of the last visit before anybody answers. Contacts are within
    // it, so that what is being written stays open.
    if (place.at !== "settings") {
      return leaving() ? null : <Mail place={place} ended={ended} signOut={leave} />;
    }
    return settings && who === "in" ? <settings.Settings place={place} ended={ended} /> : null;
  }
  return <AriaI18n locale={i18n.locale}>{shown()}</AriaI18n>;
}
