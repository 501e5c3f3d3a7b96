import { I18nProvider, useLingui } from "@lingui/react";
import { lazy, Suspense, useCallback, useEffect, useState } from "react";
import { I18nProvider as AriaI18n } from "react-aria-components";
import { i18n } from "../i18n/index.ts";
import { usePlace } from "../route/index.ts";
import { SignIn, signOut, state } from "../signin/index.ts";

const Mail = lazy(() => import("../mail/index.ts").then(({ Mail }) => ({ default: Mail })));
const Settings = lazy(() =>
  import("../settings/index.ts").then(({ Settings }) => ({ default: Settings })),
);

type Who = "unknown" | "in" | "out";

export function App() {
  return (
    <I18nProvider i18n={i18n}>
      <Signed />
    </I18nProvider>
  );
}

function Signed() {
  const { i18n } = useLingui();
  const place = usePlace();
  const [who, setWho] = useState<Who>("unknown");
  useEffect(() => {
    void state().then((answer) => setWho(answer === true ? "in" : "out"));
  }, []);
  const ended = useCallback(() => setWho("out"), []);
  const leave = useCallback(() => void signOut().finally(() => setWho("out")), []);
  return (
    <AriaI18n locale={i18n.locale}>
      {who === "out" ? (
        <SignIn onSignedIn={() => setWho("in")} />
      ) : who === "in" ? (
        <Suspense>
          {place.at === "mail" ? (
            <Mail place={place} ended={ended} signOut={leave} />
          ) : (
            <Settings place={place} />
          )}
        </Suspense>
      ) : null}
    </AriaI18n>
  );
}
