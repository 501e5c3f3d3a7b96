import { Trans, useLingui } from "@lingui/react/macro";
import { KeyRound } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { choose, LOCALES } from "../i18n/index.ts";
import { keepNothing } from "../store/index.ts";
import { Button, Checkbox, Notice, TextField, Wordmark } from "../ui/index.ts";
import { AuthError, signIn, type Way } from "./auth.ts";
import { hasPasskeys, signInByPasskey } from "./passkeys.ts";
import { SecondStep } from "./SecondStep.tsx";
import style from "./SignIn.module.css";
import { wordsOf } from "./words.ts";

/** The page of who is not signed in: the password, then a second step where the account asks for one. */
export function SignIn({ onSignedIn }: { onSignedIn: () => void }) {
  const [ways, setWays] = useState<readonly Way[] | undefined>();
  return (
    <main className={style.page}>
      <div className={style.card}>
        <Wordmark />
        {ways ? (
          <SecondStep ways={ways} done={onSignedIn} again={() => setWays(undefined)} />
        ) : (
          <FirstStep done={onSignedIn} next={setWays} />
        )}
      </div>
      <Languages />
    </main>
  );
}

function FirstStep({ done, next }: { done: () => void; next: (ways: readonly Way[]) => void }) {
  const { t, i18n } = useLingui();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [passing, setPassing] = useState(false);
  const password = useRef<HTMLInputElement>(null);

  async function tried(attempt: () => Promise<void>): Promise<void> {
    if (busy) return;
    setBusy(true);
    setTrouble("");
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      setTrouble(wordsOf(error, i18n, t`The address or the password is not right.`));
      if (error.error === "wrong") password.current?.select();
    } finally {
      setBusy(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name") ?? "").trim();
    const secret = String(form.get("password") ?? "");
    keepNothing(passing);
    void tried(async () => {
      const answer = await signIn(name, secret, passing);
      if ("methods" in answer) next(answer.methods);
      else done();
    });
  }

  function byPasskey() {
    keepNothing(passing);
    void tried(async () => {
      await signInByPasskey(true, passing);
      done();
    });
  }

  return (
    <form className={style.form} onSubmit={submit}>
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
      <Checkbox on={passing} turn={setPassing}>
        <Trans>This is not my own device</Trans>
      </Checkbox>
      <div className={style.buttons}>
        <Button type="submit" kind="primary" wide>
          {busy ? <Trans>Signing in…</Trans> : <Trans>Sign in</Trans>}
        </Button>
        {hasPasskeys() ? (
          <Button kind="quiet" wide icon={KeyRound} onPress={byPasskey}>
            <Trans>Sign in with a passkey</Trans>
          </Button>
        ) : null}
      </div>
    </form>
  );
}

function Languages() {
  const { t, i18n } = useLingui();
  return (
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
  );
}
