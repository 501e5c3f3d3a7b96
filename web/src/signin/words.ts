/** What is said when something was refused: what happened, and what can be done. */
import type { I18n, MessageDescriptor } from "@lingui/core";
import { msg, plural } from "@lingui/core/macro";
import type { AuthError } from "./auth.ts";

const WORDS: Readonly<Record<string, MessageDescriptor>> = {
  suspended: msg`This account is suspended. Ask your administrator about it.`,
  away: msg`The server cannot do this at the moment. Try again soon.`,
  offline: msg`The server cannot be reached. Check your connection, then try again.`,
  "in-clear": msg`To sign in, open this page by an address that begins with https.`,
  expired: msg`That took too long. Begin again.`,
  used: msg`This code was used already. Wait for the next one.`,
  copied: msg`There may be a copy of this passkey, so it is not taken. Sign in another way and remove it.`,
  "broken-off": msg`No passkey was shown. Try again, or choose another way.`,
  "signed-out": msg`You are not signed in any more. Load this page again.`,
  prove: msg`Show your password or a passkey once more for this.`,
  limit: msg`There are as many of these as there can be. Remove one first.`,
  "in-use": msg`This is your only second step. Turn the second step off first.`,
  "weak-password": msg`This password is too easy to guess. Take a longer one that has nothing to do with your name.`,
  label: msg`Say what it is for, such as “Phone” or “Thunderbird”.`,
  changed: msg`This was changed elsewhere meanwhile. Look at it again.`,
};

/** `wrong`: what is said where what was typed is not right; `exists`: where it is there already. */
export function wordsOf(error: AuthError, i18n: I18n, wrong: string, exists?: string): string {
  if (error.error === "too-many") return waiting(error.wait, i18n);
  if (error.error === "wrong") return wrong;
  if (error.error === "exists" && exists) return exists;
  const known = WORDS[error.error];
  if (known) return i18n._(known);
  return i18n._(msg`The server refused this.`);
}

function waiting(seconds: number, i18n: I18n): string {
  const minutes = Math.max(1, Math.ceil(seconds / 60));
  if (minutes >= 60) {
    const hours = Math.ceil(minutes / 60);
    return i18n._(
      msg({
        message: plural(hours, {
          one: "Too many attempts. Wait an hour, then try again.",
          other: "Too many attempts. Wait # hours, then try again.",
        }),
      }),
    );
  }
  return i18n._(
    msg({
      message: plural(minutes, {
        one: "Too many attempts. Wait a minute, then try again.",
        other: "Too many attempts. Wait # minutes, then try again.",
      }),
    }),
  );
}
