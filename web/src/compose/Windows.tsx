import { useLingui } from "@lingui/react/macro";
import { useEffect, useRef } from "react";
import type { Id } from "../jmap/index.ts";
import { Composer } from "./Composer.tsx";
import type { Composing } from "./composing.ts";
import type { Desk } from "./desk.ts";
import { usePhone, useSignal } from "./use.ts";
import style from "./Windows.module.css";

/** All that is written apart from its conversation: windows beside each other, or one over everything. */
export function Windows({ desk }: { desk: Desk }) {
  const { t } = useLingui();
  useSignal(desk);
  const phone = usePhone();
  useEffect(() => {
    desk.phone = phone;
  }, [desk, phone]);
  const { windows } = desk;
  if (!windows.length) return null;
  return (
    <aside
      className={style.windows}
      aria-label={t`Messages being written`}
      data-over={windows.some(({ place }) => place === "full") || undefined}
    >
      {windows.map((one) => (
        <Window key={one.key} desk={desk} one={one} />
      ))}
    </aside>
  );
}

function Window({ desk, one }: { desk: Desk; one: Composing }) {
  useReturn();
  return (
    <div className={style.window} data-place={one.place}>
      <Composer desk={desk} one={one} />
    </div>
  );
}

/** What is written below the messages of a conversation. */
export function Inline({ desk, threadId }: { desk: Desk; threadId: Id }) {
  useSignal(desk);
  const one = desk.inline(threadId);
  if (!one) return null;
  return <Within key={one.key} desk={desk} one={one} />;
}

function Within({ desk, one }: { desk: Desk; one: Composing }) {
  useReturn();
  const still = useRef(true);
  useEffect(() => {
    still.current = true;
    return () => {
      still.current = false;
      // Left without a word in it: nobody wanted it. Not where it is only drawn anew, or goes to a window.
      setTimeout(() => {
        if (!still.current && one.place === "inline" && one.same && !one.draft.emailId) {
          void desk.close(one);
        }
      });
    };
  }, [desk, one]);
  return (
    <div className={style.inline}>
      <Composer desk={desk} one={one} />
    </div>
  );
}

/** The focus goes back to where it was. */
function useReturn(): void {
  const before = useRef(document.activeElement);
  useEffect(() => {
    const { current } = before;
    return () => {
      if (current instanceof HTMLElement && current.isConnected && current !== document.body) {
        current.focus({ preventScroll: true });
      }
    };
  }, []);
}
