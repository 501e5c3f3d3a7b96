import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { ShieldCheck, ShieldOff } from "lucide-react";
import { useState } from "react";
import { ask } from "../../signin/index.ts";
import { Button, Chip, Notice, toasts } from "../../ui/index.ts";
import { Confirm } from "../Confirm.tsx";
import { useTried } from "../hooks.ts";
import { useProved } from "../Prove.tsx";
import { type Item, Items, Section } from "../Section.tsx";
import { inFull } from "../times.ts";
import type { Codes, Credentials } from "./credentials.ts";
import { RecoveryCodes } from "./RecoveryCodes.tsx";
import { Totp } from "./Totp.tsx";

/** What is asked for after the password: switched on and off, its app and its recovery codes. */
export function SecondStep({ known, again }: { known: Credentials; again: () => void }) {
  const { t } = useLingui();
  const proved = useProved();
  const tried = useTried();
  const [adding, setAdding] = useState(false);
  const [asked, ask_] = useState<"off" | "totp" | "codes">();
  const [codes, setCodes] = useState<readonly string[]>();
  const [began, setBegan] = useState(false);
  const { since, totpSince, recoveryCodesLeft: left } = known.secondStep;

  async function made(path: string, first: boolean): Promise<void> {
    ask_(undefined);
    await tried.run(async () => {
      const answer = await proved(() => ask<Codes>(path, {}));
      setBegan(first);
      if (answer.recoveryCodes) setCodes(answer.recoveryCodes);
      again();
    });
  }

  async function gone(path: string, words: string): Promise<void> {
    ask_(undefined);
    await tried.run(async () => {
      await proved(() => ask(path, {}));
      toasts.show(words);
      again();
    });
  }

  const items: Item[] = [];
  if (totpSince) {
    items.push({
      id: "totp",
      name: t`Authenticator app`,
      detail: t`Set up ${inFull(totpSince)}`,
      actions: (
        <Button kind="quiet" onPress={() => ask_("totp")}>
          <Trans>Remove</Trans>
        </Button>
      ),
    });
  }
  if (since) {
    items.push({
      id: "codes",
      name: t`Recovery codes`,
      detail: <Plural value={left} _0="None is left" one="One is left" other="# are left" />,
      actions: (
        <Button kind="quiet" onPress={() => ask_("codes")}>
          <Trans>Make new ones</Trans>
        </Button>
      ),
    });
  }

  return (
    <Section
      title={t`Second step`}
      about={
        since ? (
          <p>
            <Chip>
              <ShieldCheck size={14} aria-hidden /> <Trans>On</Trans>
            </Chip>{" "}
            <Trans>After the password you show a code or a passkey.</Trans>
          </p>
        ) : (
          <p>
            <Trans>
              With a second step, whoever learns your password still cannot sign in. Mail programs
              get passwords of their own.
            </Trans>
          </p>
        )
      }
      actions={
        <>
          {totpSince ? null : (
            <Button kind={since ? "plain" : "primary"} onPress={() => setAdding(true)}>
              <Trans>Set up an authenticator app</Trans>
            </Button>
          )}
          {!since && known.passkeys.length ? (
            <Button onPress={() => void made("second-step/on", true)}>
              <Trans>Ask for a passkey</Trans>
            </Button>
          ) : null}
          {since ? (
            <Button kind="quiet" icon={ShieldOff} onPress={() => ask_("off")}>
              <Trans>Turn it off</Trans>
            </Button>
          ) : null}
        </>
      }
    >
      {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      {since && left < 4 ? (
        <Notice tone="warn">
          <Trans>Few recovery codes are left. Make new ones before the last is used.</Trans>
        </Notice>
      ) : null}
      {items.length ? <Items label={t`Second step`} items={items} /> : null}
      {adding ? (
        <Totp
          close={() => setAdding(false)}
          done={(fresh) => {
            setAdding(false);
            setBegan(true);
            if (fresh) setCodes(fresh);
            again();
          }}
        />
      ) : null}
      {codes ? (
        <RecoveryCodes codes={codes} began={began} close={() => setCodes(undefined)} />
      ) : null}
      <Confirm
        open={asked === "off"}
        close={() => ask_(undefined)}
        title={t`Turn the second step off?`}
        words={t`The password alone is enough then. Passkeys stay, and go on signing you in.`}
        action={t`Turn it off`}
        confirm={() => void gone("second-step/off", t`The second step is off.`)}
      />
      <Confirm
        open={asked === "totp"}
        close={() => ask_(undefined)}
        title={t`Remove the authenticator app?`}
        words={t`Its codes are not taken any more.`}
        action={t`Remove`}
        confirm={() => void gone("totp/remove", t`The authenticator app was removed.`)}
      />
      <Confirm
        open={asked === "codes"}
        close={() => ask_(undefined)}
        title={t`Make new recovery codes?`}
        words={t`The ones that you have now are not taken any more.`}
        action={t`Make new ones`}
        confirm={() => void made("recovery-codes", false)}
      />
    </Section>
  );
}
