import { Trans, useLingui } from "@lingui/react/macro";
import { ArrowLeft, Keyboard, type LucideIcon, Palette } from "lucide-react";
import { type ComponentType, type MouseEvent, useEffect } from "react";
import { addressOf, go, type SettingsPlace } from "../route/index.ts";
import { EmptyState, IconButton } from "../ui/index.ts";
import { Appearance } from "./Appearance.tsx";
import { KeyboardPage } from "./KeyboardPage.tsx";
import style from "./Settings.module.css";

interface Page {
  readonly id: string;
  readonly name: string;
  readonly icon: LucideIcon;
  readonly show: ComponentType;
}

/** Everything that can be set, a page a subject. */
export default function Settings({ place }: { place: SettingsPlace }) {
  const { t } = useLingui();
  const pages: readonly Page[] = [
    { id: "appearance", name: t`Appearance and language`, icon: Palette, show: Appearance },
    { id: "keyboard", name: t`Keyboard`, icon: Keyboard, show: KeyboardPage },
  ];
  const page = pages.find((one) => one.id === place.page);
  useEffect(() => {
    document.title = `${t`Settings`} – Malleposte`;
  }, [t]);

  function chosen(event: MouseEvent, id: string): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go({ at: "settings", page: id }, "replace");
  }

  return (
    <div className={style.settings}>
      <header className={style.head}>
        <IconButton
          icon={ArrowLeft}
          label={t`Back to the mail`}
          onPress={() => go({ at: "mail", mailbox: "inbox" })}
        />
        <h1 className={style.title}>
          <Trans>Settings</Trans>
        </h1>
      </header>
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
      <main className={style.main}>
        {page ? (
          <>
            <h2 className={style.name}>{page.name}</h2>
            <page.show />
          </>
        ) : (
          <EmptyState icon={Palette} title={t`There is no such page`}>
            <Trans>Choose one of those beside.</Trans>
          </EmptyState>
        )}
      </main>
    </div>
  );
}
