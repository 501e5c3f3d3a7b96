import { X } from "lucide-react";
import { useEffect, useState, useSyncExternalStore } from "react";
import { Button } from "react-aria-components";
import style from "./ToastRegion.module.css";
import { SHOWN, type Toast, toasts } from "./toasts.ts";

/** Where toasts appear, the newest nearest to the edge. They wait while the pointer or the focus is on one. */
export function ToastRegion({ label, closeLabel }: { label: string; closeLabel: string }) {
  const all = useSyncExternalStore(toasts.subscribe, toasts.all);
  const [held, setHeld] = useState(false);
  const none = all.length === 0;
  useEffect(() => {
    // What goes under the pointer says nothing of it.
    if (none) setHeld(false);
  }, [none]);
  return (
    <section className={style.region} aria-label={label} aria-live="polite">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the pointer only makes them wait */}
      <div
        className={style.stack}
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocus={() => setHeld(true)}
        onBlur={() => setHeld(false)}
      >
        {all.map((toast) => (
          <Line key={toast.id} toast={toast} held={held} closeLabel={closeLabel} />
        ))}
      </div>
    </section>
  );
}

function Line({ toast, held, closeLabel }: { toast: Toast; held: boolean; closeLabel: string }) {
  const { id, words, action } = toast;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => toasts.dismiss(id), SHOWN);
    return () => clearTimeout(timer);
  }, [id, held]);
  return (
    <div className={style.toast}>
      <span className={style.words}>{words}</span>
      {action ? (
        <Button
          className={style.action ?? ""}
          onPress={() => {
            toasts.dismiss(id);
            action.run();
          }}
        >
          {action.words}
        </Button>
      ) : null}
      <Button
        className={style.close ?? ""}
        aria-label={closeLabel}
        onPress={() => toasts.dismiss(id)}
      >
        <X size={16} aria-hidden />
      </Button>
    </div>
  );
}
