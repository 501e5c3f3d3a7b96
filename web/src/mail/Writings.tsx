import { type ReactNode, useEffect, useState } from "react";
import { useMedia } from "./hooks.ts";
import { useMail } from "./session.ts";
import { useWriting, Writing, WritingContext } from "./writing.ts";

/** Lets all within write, and finds again what was being written. `flushing`: told how to save all of it. */
export function Writings({
  children,
  flushing,
}: {
  children: ReactNode;
  flushing: (flush: () => Promise<boolean>) => void;
}) {
  const session = useMail();
  const [writing] = useState(() => new Writing(session));
  writing.phone = useMedia("(max-width: 640px)");
  useEffect(() => {
    writing.start();
    flushing(() => writing.flush());
    return () => writing.stop();
  }, [writing, flushing]);
  useEffect(() => {
    // An address in a text leads to a message to it, not out of the client.
    function pressed(event: MouseEvent): void {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      const href = link?.getAttribute("href") ?? "";
      if (!/^mailto:/i.test(href) || event.defaultPrevented || event.button) return;
      event.preventDefault();
      writing.mailto(href);
    }
    document.addEventListener("click", pressed);
    return () => document.removeEventListener("click", pressed);
  }, [writing]);
  return (
    <WritingContext value={writing}>
      {children}
      <Open />
    </WritingContext>
  );
}

function Open() {
  const { piece, desk } = useWriting();
  return piece && desk ? <piece.Windows desk={desk} /> : null;
}
