import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ArrowLeft, KeyRound, LifeBuoy, type LucideIcon, Smartphone } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import { Button, Notice, TextField } from "../ui/index.ts";
import { AuthError, ask, type Way } from "./auth.ts";
import { hasPasskeys, signInByPasskey } from "./passkeys.ts";
import style from "./SignIn.module.css";
import { wordsOf } from "./words.ts";

export interface SecondStepProps {
  /** What the account can show, the handiest first. */
  ways: readonly Way[];
  done: () => void;
  /** Back to the password. */
  again: () => void;
}

/** After the password: a code of an app, a passkey, or one of the codes kept for the day the phone is lost. */
export function SecondStep({ ways, done, again }: SecondStepProps) {
  const { t, i18n } = useLingui();
  const usable = ways.filter((way) => way !== "passkey" || hasPasskeys());
  const [way, setWay] = useState<Way>(usable[0] ?? "recovery");
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const [left, setLeft] = useState<number | undefined>();
  const field = useRef<HTMLInputElement>(null);

  async function tried(attempt: () => Promise<void>): Promise<void> {
    if (busy) return;
    setBusy(true);
    setTrouble("");
    try {
      await attempt();
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      if (error.error === "wrong" && way === "passkey") {
        setTrouble(t`This passkey is not one of this account.`);
      } else setTrouble(wordsOf(error, i18n, t`The code is not right.`));
      field.current?.select();
    } finally {
      setBusy(false);
    }
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const code = String(new FormData(event.currentTarget).get("code") ?? "");
    void tried(async () => {
      if (way === "passkey") await signInByPasskey(false, false);
      else if (way === "totp") await ask("totp", { code });
      else {
        const answer = await ask<{ recoveryCodesLeft: number }>("recovery", { code });
        return setLeft(answer.recoveryCodesLeft);
      }
      done();
    });
  }

  if (left !== undefined) {
    return (
      <div className={style.form}>
        <h1 className={style.title}>
          <Trans>You are signed in</Trans>
        </h1>
        <Notice tone={left < 4 ? "warn" : "info"}>
          <Plural
            value={left}
            _0="That was your last recovery code. Make new ones under Settings, Security."
            one="One recovery code is left. Make new ones under Settings, Security."
            other="# recovery codes are left. The one you typed is used up."
          />
        </Notice>
        <Button kind="primary" wide onPress={done} autoFocus>
          <Trans>Go to my mail</Trans>
        </Button>
      </div>
    );
  }

  const others: Readonly<Record<Way, readonly [string, LucideIcon]>> = {
    totp: [t`Use a code of my app`, Smartphone],
    passkey: [t`Use a passkey`, KeyRound],
    recovery: [t`Use a recovery code`, LifeBuoy],
  };
  return (
    <form className={style.form} onSubmit={submit} key={way}>
      <h1 className={style.title}>
        <Trans>One more step</Trans>
      </h1>
      {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
      {way === "totp" ? (
        <TextField
          name="code"
          label={t`Code of your app`}
          hint={t`The six digits that your authenticator app shows now.`}
          inputMode="numeric"
          autoComplete="one-time-code"
          isRequired
          autoFocus
          ref={field}
        />
      ) : way === "recovery" ? (
        <TextField
          name="code"
          label={t`Recovery code`}
          hint={t`One of the ten codes that you kept when you turned the second step on.`}
          autoComplete="off"
          isRequired
          autoFocus
          ref={field}
        />
      ) : (
        <p className={style.words}>
          <Trans>Show the passkey of your device, or plug in your security key.</Trans>
        </p>
      )}
      <div className={style.buttons}>
        <Button type="submit" kind="primary" wide autoFocus={way === "passkey"}>
          {busy ? (
            <Trans>Signing in…</Trans>
          ) : way === "passkey" ? (
            <Trans>Show a passkey</Trans>
          ) : (
            <Trans>Sign in</Trans>
          )}
        </Button>
        {usable
          .filter((other) => other !== way)
          .map((other) => (
            <Button
              key={other}
              kind="quiet"
              wide
              icon={others[other][1]}
              onPress={() => [setTrouble(""), setWay(other)]}
            >
              {others[other][0]}
            </Button>
          ))}
        <Button kind="quiet" wide icon={ArrowLeft} onPress={again}>
          <Trans>Back to the password</Trans>
        </Button>
      </div>
    </form>
  );
}
