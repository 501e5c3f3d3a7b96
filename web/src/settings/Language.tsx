import { Trans, useLingui } from "@lingui/react/macro";
import { choose, LOCALES, type Locale } from "../i18n/index.ts";
import { ask } from "../signin/index.ts";
import { Choice, Notice } from "../ui/index.ts";
import { useTried } from "./hooks.ts";
import { Section } from "./Section.tsx";
import style from "./Settings.module.css";

/** The language of these pages, and of what the server writes to one. */
export function Language() {
  const { t, i18n } = useLingui();
  const tried = useTried();

  async function speak(locale: Locale): Promise<void> {
    await choose(locale);
    await tried.run(() => ask("language", { locale }));
  }

  return (
    <div className={style.page}>
      <Section
        about={
          <p>
            <Trans>
              The server writes to you in this language, too: warnings, reports, notices of
              sign-ins.
            </Trans>
          </p>
        }
      >
        {tried.trouble ? <Notice tone="warn">{tried.trouble}</Notice> : null}
        <Choice<Locale>
          label={t`Language`}
          chosen={i18n.locale === "fr" ? "fr" : "en"}
          choose={(id) => void speak(id)}
          options={LOCALES.map(({ locale, name }) => ({ id: locale, name }))}
        />
      </Section>
    </div>
  );
}
