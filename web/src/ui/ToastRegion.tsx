import { X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Button } from "react-aria-components";
import style from "./ToastRegion.module.css";
import { SHOWN, toasts } from "./toasts.ts";

/** Where toasts appear. It waits while the pointer or the focus is on one. */
export function ToastRegion({ label, closeLabel }: { label: string; closeLabel: string }) {
  const toast = useSyncExternalStore(toasts.subscribe, toasts.current);
  const [held, setHeld] = useState(false);
  const id = toast?.id;
  useEffect(() => {
    if (id === undefined || held) return;
    const timer = setTimeout(() => toasts.dismiss(id), SHOWN);
    return () => clearTimeout(timer);
  }, [id, held]);
  return (
    <section className={style.region} aria-label={label} aria-live="polite" aria-atomic>
      {toast ? (
        // biome-ignore lint/a11y/noStaticElementInteractions: the pointer only makes it wait
        <div
          key={toast.id}
          className={style.toast}
          onPointerEnter={() => setHeld(true)}
          onPointerLeave={() => setHeld(false)}
          onFocus={() => setHeld(true)}
          onBlur={() => setHeld(false)}
        >
          <span className={style.words}>{toast.words}</span>
          {toast.action ? (
            <Button
              className={style.action ?? ""}
              onPress={() => {
                toast.action?.run();
                toasts.dismiss(toast.id);
              }}
            >
              {toast.action.words}
            </Button>
          ) : null}
          <Button
            className={style.close ?? ""}
            aria-label={closeLabel}
            onPress={() => toasts.dismiss(toast.id)}
          >
            <X size={16} aria-hidden />
          </Button>
        </div>
      ) : null}
    </section>
  );
}
