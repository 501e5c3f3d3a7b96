import { I18nProvider } from "@lingui/react";
import { useEffect, useState } from "react";
import { I18nProvider as AriaI18n } from "react-aria-components";
import { i18n } from "../i18n/index.ts";
import { SignIn, state } from "../signin/index.ts";

type Who = "unknown" | "in" | "out";

export function App() {
  const [who, setWho] = useState<Who>("unknown");
  useEffect(() => {
    void state().then((answer) => setWho(answer === true ? "in" : "out"));
  }, []);
  return (
    <I18nProvider i18n={i18n}>
      <AriaI18n locale={i18n.locale}>
        {who === "out" ? <SignIn onSignedIn={() => setWho("in")} /> : null}
      </AriaI18n>
    </I18nProvider>
  );
}
