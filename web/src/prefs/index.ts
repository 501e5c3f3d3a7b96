/** What a person likes, kept in this browser: colours, density, and how mail is shown. */
import { useSyncExternalStore } from "react";

export { welcomed } from "./welcomed.ts";

export type Theme = "auto" | "light" | "dark" | "contrast";
export type Density = "comfortable" | "cozy" | "compact";

export interface Prefs {
  readonly theme: Theme;
  readonly density: Density;
  /** Messages of a conversation are one row. */
  readonly conversations: boolean;
  /** Single keys do things. */
  readonly shortcuts: boolean;
  /** Mail of the last weeks is kept in this browser. */
  readonly offline: boolean;
  /** Width of the list, in pixels. */
  readonly listWidth: number;
}

export const DEFAULTS: Prefs = {
  theme: "auto",
  density: "comfortable",
  conversations: true,
  shortcuts: true,
  offline: true,
  listWidth: 400,
};

const KEPT = "malleposte.prefs";
const THEMES: readonly string[] = ["auto", "light", "dark", "contrast"];
const DENSITIES: readonly string[] = ["comfortable", "cozy", "compact"];

/** What was kept, as far as it makes sense still. */
export function read(text: string | null): Prefs {
  let kept: Partial<Record<keyof Prefs, unknown>> = {};
  try {
    const found: unknown = JSON.parse(text ?? "{}");
    if (found && typeof found === "object") kept = found;
  } catch {
    // Kept by nobody of ours: as if there were nothing.
  }
  const flag = (name: "conversations" | "shortcuts" | "offline") =>
    typeof kept[name] === "boolean" ? kept[name] : DEFAULTS[name];
  const width = Number(kept.listWidth);
  return {
    theme: THEMES.includes(String(kept.theme)) ? (kept.theme as Theme) : DEFAULTS.theme,
    density: DENSITIES.includes(String(kept.density))
      ? (kept.density as Density)
      : DEFAULTS.density,
    conversations: flag("conversations"),
    shortcuts: flag("shortcuts"),
    offline: flag("offline"),
    listWidth: width >= 280 && width <= 900 ? width : DEFAULTS.listWidth,
  };
}

/** The name of the colours that are put on. */
export function coloursOf(theme: Theme, dark: boolean, contrast: boolean): string {
  if (theme === "contrast" || (theme === "auto" && contrast)) {
    return dark ? "contrast-dark" : "contrast";
  }
  if (theme === "auto") return dark ? "dark" : "light";
  return theme;
}

let current = DEFAULTS;
const heards = new Set<() => void>();

export const prefs = {
  get: (): Prefs => current,
  subscribe(heard: () => void): () => void {
    heards.add(heard);
    return () => void heards.delete(heard);
  },
  set(some: Partial<Prefs>): void {
    current = { ...current, ...some };
    localStorage.setItem(KEPT, JSON.stringify(current));
    apply();
    for (const heard of heards) heard();
  },
  /** Read what was kept, and follow what the system wants and other tabs say. */
  start(): void {
    current = read(localStorage.getItem(KEPT));
    apply();
    for (const query of [DARK, CONTRAST]) matchMedia(query).addEventListener("change", apply);
    addEventListener("storage", (event) => {
      if (event.key !== KEPT) return;
      current = read(event.newValue);
      apply();
      for (const heard of heards) heard();
    });
  },
};

export function usePrefs(): Prefs {
  return useSyncExternalStore(prefs.subscribe, prefs.get);
}

const DARK = "(prefers-color-scheme: dark)";
const CONTRAST = "(prefers-contrast: more)";

function apply(): void {
  const { dataset } = document.documentElement;
  const matches = (query: string) => matchMedia(query).matches;
  dataset.theme = coloursOf(current.theme, matches(DARK), matches(CONTRAST));
  dataset.density = current.density;
}
