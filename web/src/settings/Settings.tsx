import { Trans, useLingui } from "@lingui/react/macro";
import { ArrowLeft, Palette } from "lucide-react";
import { type ComponentType, type MouseEvent, useEffect } from "react";
import { addressOf, go, type SettingsPlace } from "../route/index.ts";
import { SUBJECTS, type SubjectId } from "../subjects/index.ts";
import { EmptyState, IconButton, ToastRegion } from "../ui/index.ts";
import { Appearance } from "./Appearance.tsx";
import { ThisDevice } from "./device/ThisDevice.tsx";
import { Devices } from "./devices/Devices.tsx";
import { Filters } from "./filters/Filters.tsx";
import { useNarrow } from "./hooks.ts";
import { Identities } from "./identities/Identities.tsx";
import { KeyboardPage } from "./KeyboardPage.tsx";
import { Language } from "./Language.tsx";
import { Recovery } from "./recovery/Recovery.tsx";
import style from "./Settings.module.css";
import { AppPasswords } from "./security/AppPasswords.tsx";
import { Security } from "./security/Security.tsx";
import { Sessions } from "./security/Sessions.tsx";
import { EndedContext } from "./session.ts";
import { Transfer } from "./transfer/Transfer.tsx";
import { Vacation } from "./vacation/Vacation.tsx";

const PAGES: Readonly<Record<SubjectId, ComponentType>> = {
  appearance: Appearance,
  language: Language,
  device: ThisDevice,
  keyboard: KeyboardPage,
  identities: Identities,
  vacation: Vacation,
  filters: Filters,
  security: Security,
  "app-passwords": AppPasswords,
  sessions: Sessions,
  devices: Devices,
  recovery: Recovery,
  transfer: Transfer,
};

/** Everything that can be set, a page a subject. On a phone the subjects are a page of their own. */
export default function Settings({ place, ended }: { place: SettingsPlace; ended: () => void }) {
  const { t, i18n } = useLingui();
  const pages = SUBJECTS.map((one) => ({ ...one, name: i18n._(one.name), show: PAGES[one.id] }));
  const narrow = useNarrow();
  const every = place.page === "all";
  const page = every ? (narrow ? undefined : pages[0]) : pages.find((one) => one.id === place.page);
  useEffect(() => {
    document.title = `${page?.name ?? t`Settings`} – Malleposte`;
  }, [page?.name, t]);

  function chosen(event: MouseEvent, id: string): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ at: "settings", page: id }, every ? "push" : "replace");
  }

  const subjects = (
    <nav className={style.nav} aria-label={t`Settings`}>
      {pages.map(({ id, name, icon: Icon }) => (
        <a
          key={id}
          href={addressOf({ at: "settings", page: id })}
          aria-current={page?.id === id ? "page" : undefined}
          className={style.item}
          onClick={(event) => chosen(event, id)}
        >
          <Icon size={18} aria-hidden />
          {name}
        </a>
      ))}
    </nav>
  );
  return (
    <EndedContext value={ended}>
      <div className={style.settings} data-every={every || undefined}>
        <header className={style.head}>
          <span className={style.toMail}>
            <IconButton
              icon={ArrowLeft}
              label={t`Back to the mail`}
              onPress={() => go({ at: "mail", mailbox: "inbox" })}
            />
          </span>
          <span className={style.toAll}>
            <IconButton
              icon={ArrowLeft}
              label={t`All settings`}
              onPress={() => go({ at: "settings", page: "all" }, "replace")}
            />
          </span>
          <h1 className={style.title}>
            <Trans>Settings</Trans>
          </h1>
        </header>
        {narrow && !every ? null : narrow ? (
          <main className={style.all}>{subjects}</main>
        ) : (
          subjects
        )}
        {narrow && every ? null : (
          <main className={style.main}>
            {page ? (
              <>
                <h2 className={style.name}>{page.name}</h2>
                <page.show key={page.id} />
              </>
            ) : (
              <EmptyState icon={Palette} title={t`There is no such page`}>
                <Trans>Choose one of those beside.</Trans>
              </EmptyState>
            )}
          </main>
        )}
        <ToastRegion label={t`Notices`} closeLabel={t`Close`} />
      </div>
    </EndedContext>
  );
}
