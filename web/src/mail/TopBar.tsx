import { useLingui } from "@lingui/react/macro";
import { LogOut, Menu as MenuSign, Search, Settings, X } from "lucide-react";
import { type FormEvent, useEffect, useRef } from "react";
import { Button } from "react-aria-components";
import { choose, LOCALES } from "../i18n/index.ts";
import { type Density, prefs, type Theme, usePrefs } from "../prefs/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { Avatar, IconButton, Menu, MenuChoice, MenuItem, MenuLine } from "../ui/index.ts";
import { useKeys } from "./keys.ts";
import { useMail } from "./session.ts";
import style from "./TopBar.module.css";

export interface TopBarProps {
  place: MailPlace;
  signOut: () => void;
  /** Shows the mailboxes, where they are not beside. */
  openMenu: (() => void) | undefined;
}

export function TopBar({ place, signOut, openMenu }: TopBarProps) {
  const { t } = useLingui();
  const field = useRef<HTMLInputElement>(null);
  const { shortcuts } = usePrefs();
  useKeys({ "/": () => field.current?.focus() }, shortcuts);
  useEffect(() => {
    if (field.current) field.current.value = place.search ?? "";
  }, [place.search]);

  function search(event: FormEvent): void {
    event.preventDefault();
    const words = field.current?.value.trim() || undefined;
    go({ ...place, search: words, message: undefined });
  }

  return (
    <header className={style.bar}>
      {openMenu ? <IconButton icon={MenuSign} label={t`Mailboxes`} onPress={openMenu} /> : null}
      <search className={style.search}>
        <form onSubmit={search} className={style.form}>
          <Search size={17} aria-hidden className={style.sign} />
          <input
            ref={field}
            type="search"
            className={style.field}
            aria-label={t`Search mail`}
            placeholder={t`Search mail`}
            enterKeyHint="search"
            autoComplete="off"
            defaultValue={place.search ?? ""}
          />
          {place.search ? (
            <span className={style.clear}>
              <IconButton
                icon={X}
                label={t`End the search`}
                onPress={() => go({ ...place, search: undefined, message: undefined })}
              />
            </span>
          ) : null}
        </form>
      </search>
      <AccountMenu signOut={signOut} />
    </header>
  );
}

function AccountMenu({ signOut }: { signOut: () => void }) {
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
        choose={(id) => void choose(id === "fr" ? "fr" : "en")}
      >
        {LOCALES.map(({ locale, name: language }) => (
          <MenuItem key={locale} id={locale}>
            {language}
          </MenuItem>
        ))}
      </MenuChoice>
      <MenuLine />
      <MenuItem icon={Settings} onAction={() => go({ at: "settings", page: "appearance" })}>
        {t`Settings`}
      </MenuItem>
      <MenuItem icon={LogOut} onAction={signOut}>
        {t`Sign out`}
      </MenuItem>
    </Menu>
  );
}
