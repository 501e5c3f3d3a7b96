import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import { ask } from "../../signin/index.ts";
import { Button, Dialog, Notice, Skeleton, TextField } from "../../ui/index.ts";
import { useTried } from "../hooks.ts";
import { useProved } from "../Prove.tsx";
import { Form } from "../Section.tsx";
import type { Codes } from "./credentials.ts";
import style from "./Security.module.css";

interface Seed {
  readonly secret: string;
  readonly uri: string;
  /** A picture, made by our own server. */
  readonly qr: string;
}

/** An authenticator app learns the seed, and shows by a code that it has it. */
export function Totp({
  close,
  done,
}: {
  close: () => void;
  done: (codes: readonly string[] | null) => void;
}) {
  const { t } = useLingui();
  const proved = useProved();
  const [seed, setSeed] = useState<Seed>();
  const [code, setCode] = useState("");
  const tried = useTried(
    t`The code is not right. Look whether the clocks of both devices are right, and type the newest code.`,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked for once
  useEffect(() => {
    let left = false;
    proved(() => ask<Seed>("totp/start", {})).then(
      (made) => left || setSeed(made),
      () => left || close(),
    );
    return () => {
      left = true;
    };
  }, []);

  async function confirm(): Promise<void> {
    let codes: readonly string[] | null = null;
    const worked = await tried.run(async () => {
      codes = (await proved(() => ask<Codes>("totp/confirm", { code }))).recoveryCodes;
    });
    if (worked) done(codes);
  }

  return (
    <Dialog open close={close} title={t`Set up an authenticator app`} closeLabel={t`Close`}>
      {seed ? (
        <Form
          submit={() => void confirm()}
          actions={
            <Button type="submit" kind="primary">
              <Trans>Turn the second step on</Trans>
            </Button>
          }
        >
          <p>
            <Trans>
              Scan this with an app such as Aegis, 2FAS or Google Authenticator. Then type the code
              that the app shows.
            </Trans>
          </p>
          <img className={style.qr} src={seed.qr} alt={t`QR code for the app`} />
          <details className={style.seed}>
            <summary>
              <Trans>I cannot scan it</Trans>
            </summary>
            <p>
              <Trans>Type this key into the app:</Trans>
            </p>
            <code className={style.secret}>{seed.secret.match(/.{1,4}/g)?.join(" ")}</code>
          </details>
          {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
          <TextField
            label={t`Code of your app`}
            inputMode="numeric"
            autoComplete="one-time-code"
            value={code}
            onChange={setCode}
            isRequired
            autoFocus
          />
        </Form>
      ) : (
        <div className={style.waiting} aria-busy>
          <Skeleton width="long" />
          <Skeleton width="half" />
        </div>
      )}
    </Dialog>
  );
}
