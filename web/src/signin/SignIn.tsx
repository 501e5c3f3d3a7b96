import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, useRef, useState } from "react";
import { choose, LOCALES } from "../i18n/index.ts";
import { Button, Notice, TextField, Wordmark } from "../ui/index.ts";
import { signIn } from "./auth.ts";
import style from "./SignIn.module.css";

/** The page of who is not signed in. */
export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const { t, i18n } = useLingui();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const password = useRef<HTMLInputElement>(null);

  const refusals: Readonly<Record<string, string>> = {
    "too-many": t`Too many attempts. Wait a few minutes, then try again.`,
    suspended: t`This account is suspended. Ask your administrator about it.`,
    away: t`The server cannot look up accounts at the moment. Try again soon.`,
    "in-clear": t`To sign in, open this page by an address that begins with https.`,
  };

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (busy) return;
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name") ?? "").trim();
    const secret = String(form.get("password") ?? "");
    setBusy(true);
    setTrouble("");
    const done = await signIn(name, secret);
    setBusy(false);
    switch (done.outcome) {
      case "in":
        onSignedIn();
        return;
      case "next":
        setTrouble(t`This account asks for a second step, which this page does not know yet.`);
        return;
      case "away":
        setTrouble(t`The server cannot be reached. Check your connection, then try again.`);
        return;
      case "refused":
        setTrouble(refusals[done.error] ?? t`The address or the password is not right.`);
        password.current?.select();
    }
  }

  return (
    <main className={style.page}>
      <form className={style.card} onSubmit={submit}>
        <Wordmark />
        <h1 className={style.title}>
          <Trans>Sign in to your mail</Trans>
        </h1>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <TextField
          name="name"
          label={t`Mail address`}
          type="email"
          inputMode="email"
          autoComplete="username"
          isRequired
          autoFocus
        />
        <TextField
          name="password"
          label={t`Password`}
          type="password"
          autoComplete="current-password"
          isRequired
          ref={password}
          reveal={{ show: t`Show the password`, hide: t`Hide the password` }}
        />
        <Button type="submit" kind="primary" wide>
          {busy ? <Trans>Signing in…</Trans> : <Trans>Sign in</Trans>}
        </Button>
      </form>
      <nav className={style.languages} aria-label={t`Language`}>
        {LOCALES.map(({ locale, name }) => (
          <button
            key={locale}
            type="button"
            lang={locale}
            aria-current={i18n.locale === locale}
            className={style.language}
            onClick={() => void choose(locale)}
          >
            {name}
          </button>
        ))}
      </nav>
    </main>
  );
}
