/** Languages: which one is on, and how another is put on. Texts are in the catalogues beside this file;
    `npm run extract` writes new ones into them. */
import { i18n } from "@lingui/core";

export type Locale = "en" | "fr";

export const LOCALES: readonly { locale: Locale; name: string }[] = [
  { locale: "en", name: "English" },
  { locale: "fr", name: "Français" },
];

const KEPT = "malleposte.locale";

function isLocale(text: string | null | undefined): text is Locale {
  return LOCALES.some((one) => one.locale === text);
}

/** The language that was chosen here, else the first of the browser's that there is. */
export function preferred(
  chosen: string | null = localStorage.getItem(KEPT),
  languages: readonly string[] = navigator.languages,
): Locale {
  if (isLocale(chosen)) return chosen;
  const first = languages.map((tag) => tag.toLowerCase().split("-")[0]).find(isLocale);
  return first ?? "en";
}

const CATALOGUES = {
  en: () => import("./en.po"),
  fr: () => import("./fr.po"),
};

/** Put a language on. */
export async function speak(locale: Locale): Promise<void> {
  const { messages } = await CATALOGUES[locale]();
  i18n.loadAndActivate({ locale, messages });
  document.documentElement.lang = locale;
}

/** Put on what an account speaks, where nothing else was chosen in this browser. English is what every account
    begins with, and so says nothing. */
export async function agree(tag: string): Promise<void> {
  const locale = tag.toLowerCase().split("-")[0];
  if (!isLocale(locale) || locale === "en" || localStorage.getItem(KEPT)) return;
  if (i18n.locale !== locale) await speak(locale);
}

/** Put a language on and keep to it in this browser. */
export async function choose(locale: Locale): Promise<void> {
  await speak(locale);
  localStorage.setItem(KEPT, locale);
}

export { fileSize, fullDate, shortDate } from "./dates.ts";
export { i18n };
