import { useLingui } from "@lingui/react/macro";
import { BookUser, Keyboard, LogOut, Menu as MenuSign, Settings } from "lucide-react";
import { Button } from "react-aria-components";
import { choose, LOCALES, type Locale } from "../i18n/index.ts";
import { type Density, prefs, type Theme, usePrefs } from "../prefs/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { ask } from "../signin/index.ts";
import { Avatar, IconButton, Menu, MenuChoice, MenuItem, MenuLine } from "../ui/index.ts";
import { SearchBox } from "./SearchBox.tsx";
import { useMail } from "./session.ts";
import style from "./TopBar.module.css";

export interface TopBarProps {
  place: MailPlace;
  signOut: () => void;
  /** Shows the mailboxes, where they are not beside. */
  openMenu: (() => void) | undefined;
  showKeys: () => void;
}

export function TopBar({ place, signOut, openMenu, showKeys }: TopBarProps) {
  const { t } = useLingui();
  return (
    <header className={style.bar}>
      {openMenu ? <IconButton icon={MenuSign} label={t`Mailboxes`} onPress={openMenu} /> : null}
      <SearchBox place={place} />
      <span className={style.end}>
        <IconButton
          icon={BookUser}
          label={t`Contacts`}
          shortcut="G C"
          onPress={() => go({ at: "contacts", book: "all" })}
        />
      </span>
      <AccountMenu signOut={signOut} showKeys={showKeys} />
    </header>
  );
}

/** Here, and in what the server writes; where it does not answer, here alone. */
async function speak(locale: Locale): Promise<void> {
  await choose(locale);
  await ask("language", { locale }).catch(() => {});
}

function AccountMenu({ signOut, showKeys }: Pick<TopBarProps, "signOut" | "showKeys">) {
  const { t, i18n } = useLingui();
  const { client } = useMail();
  const { theme, density } = usePrefs();
  const name = client.session.username;
  return (
    <Menu
      label={t`Account`}
      trigger={
        <Button className={style.account ?? ""} aria-label={t`Account ${name}`}>
          <Avatar name={name} email={name} />
        </Button>
      }
    >
      <MenuChoice
        title={t`Colours`}
        chosen={theme}
        choose={(id) => prefs.set({ theme: id as Theme })}
      >
        <MenuItem id="auto">{t`As the system`}</MenuItem>
        <MenuItem id="light">{t`Light`}</MenuItem>
        <MenuItem id="dark">{t`Dark`}</MenuItem>
        <MenuItem id="contrast">{t`High contrast`}</MenuItem>
      </MenuChoice>
      <MenuChoice
        title={t`Density`}
        chosen={density}
        choose={(id) => prefs.set({ density: id as Density })}
      >
        <MenuItem id="comfortable">{t`Comfortable`}</MenuItem>
        <MenuItem id="cozy">{t`Cozy`}</MenuItem>
        <MenuItem id="compact">{t`Compact`}</MenuItem>
      </MenuChoice>
      <MenuChoice
        title={t`Language`}
        chosen={i18n.locale}
        choose={(id) => void speak(id === "fr" ? "fr" : "en")}
      >
        {LOCALES.map(({ locale, name: language }) => (
          <MenuItem key={locale} id={locale}>
            {language}
          </MenuItem>
        ))}
      </MenuChoice>
      <MenuLine />
      <MenuItem icon={BookUser} onAction={() => go({ at: "contacts", book: "all" })}>
        {t`Contacts`}
      </MenuItem>
      <MenuItem icon={Settings} onAction={() => go({ at: "settings", page: "all" })}>
        {t`Settings`}
      </MenuItem>
      <MenuItem icon={Keyboard} onAction={showKeys}>
        {t`What keys do`}
      </MenuItem>
      <MenuItem icon={LogOut} onAction={signOut}>
        {t`Sign out`}
      </MenuItem>
    </Menu>
  );
}
