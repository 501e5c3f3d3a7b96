/** Single keys, as mail programs of the web have them. Off while one types, or where they are switched off. */
import { useEffect, useRef } from "react";

export type Keys = Readonly<Record<string, (() => void) | undefined>>;

function typing(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

/** The name of a key in `Keys`: what it writes, "shift+" before a capital letter, else its name in small. */
function nameOf({ key }: KeyboardEvent): string {
  if (key.length > 1) return key.toLowerCase();
  const small = key.toLowerCase();
  return small === key ? key : `shift+${small}`;
}

/** `keys`: by name; after "g " those of two keys, the first of which is g. */
export function useKeys(keys: Keys, on: boolean): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    if (!on) return;
    let first = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    function pressed(event: KeyboardEvent): void {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      // What is open above all, a menu or a dialog, has its own.
      if (typing(event.target) || document.querySelector('[role="dialog"],[role="menu"]')) return;
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
      const run = current.current[name];
      if (!run) return;
      event.preventDefault();
      run();
    }
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [on]);
}
