/** Single keys, as mail programs of the web have them. Off while one types, or where they are switched off; those
    with Ctrl (⌘) are always on. */
import { useEffect, useRef } from "react";
import { type KeyName, SHORTCUTS } from "./table.ts";

/** What keys of the table do here. */
export type Keys = Readonly<Partial<Record<KeyName, () => void>>>;

interface Pressed {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** The name of a key in the table: what it writes, "shift+" before a capital letter, else its name in small. */
export function nameOf({ key, ctrlKey, metaKey }: Pressed): string {
  const mod = ctrlKey || metaKey ? "mod+" : "";
  if (key.length > 1) return mod + key.toLowerCase();
  const small = key.toLowerCase();
  return mod + (small === key ? key : `shift+${small}`);
}

/** The deed of a key, where it is bound here. */
export function bound(keys: Keys, pressed: string): (() => void) | undefined {
  for (const [name, run] of Object.entries(keys)) {
    if (run && SHORTCUTS[name as KeyName].keys.includes(pressed)) return run;
  }
  return undefined;
}

export function useKeys(keys: Keys, on: boolean): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    let first = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    function pressed(event: KeyboardEvent): void {
      if (event.altKey || event.defaultPrevented) return;
      // What is open above all, a menu or a dialog, has its own.
      if (document.querySelector('[role="dialog"],[role="menu"]')) return;
      const single = !event.ctrlKey && !event.metaKey;
      if (single && (!on || typing(event.target))) return;
      const name = first + nameOf(event);
      clearTimeout(timer);
      first = "";
      if (name === "g") {
        first = "g ";
        timer = setTimeout(() => {
          first = "";
        }, 1_500);
        return;
      }
      const run = bound(current.current, name);
      if (!run) return;
      event.preventDefault();
      run();
    }
    addEventListener("keydown", pressed);
    return () => {
      clearTimeout(timer);
      removeEventListener("keydown", pressed);
    };
  }, [on]);
}
