import { Trans, useLingui } from "@lingui/react/macro";
import { LogOut } from "lucide-react";
import { useState } from "react";
import { ask } from "../../signin/index.ts";
import { Button, Chip, IconButton, Notice, toasts } from "../../ui/index.ts";
import { Confirm } from "../Confirm.tsx";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Items, Section } from "../Section.tsx";
import style from "../Settings.module.css";
import { ago, inFull } from "../times.ts";
import { deviceOf } from "./agents.ts";
import type { Session } from "./credentials.ts";

const load = async () => (await ask<{ sessions: readonly Session[] }>("sessions")).sessions;

/** Browsers that one is signed in with, and how that ends. */
export function Sessions() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {(sessions) => (
        <div className={style.page}>
          <List sessions={sessions} again={again} />
        </div>
      )}
    </Loaded>
  );
}

function List({ sessions, again }: { sessions: readonly Session[]; again: () => void }) {
  const { t } = useLingui();
  const tried = useTried();
  const [asked, setAsked] = useState(false);
  const ways: Readonly<Record<string, string>> = {
    password: t`by password`,
    passkey: t`by passkey`,
    totp: t`by password and code`,
    recovery: t`by password and recovery code`,
  };

  async function end(content: object, words: string): Promise<void> {
    setAsked(false);
    if (!(await tried.run(() => ask("sessions/revoke", content)))) return;
    toasts.show(words);
    again();
  }

  const own = [...sessions].sort(
    (a, b) => Number(b.current) - Number(a.current) || b.usedAt - a.usedAt,
  );
  const name = (one: Session) => deviceOf(one.agent).join(", ") || t`Unknown browser`;
  return (
    <Section
      about={
        <p>
          <Trans>
            If you do not know one of these, sign it out and change your password. Mail programs are
            listed under app passwords.
          </Trans>
        </p>
      }
      actions={
        sessions.length > 1 ? (
          <Button icon={LogOut} onPress={() => setAsked(true)}>
            <Trans>Sign out everywhere else</Trans>
          </Button>
        ) : null
      }
    >
      {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      <Items
        label={t`Signed in`}
        items={own.map((one) => ({
          id: one.id,
          name: (
            <>
              {name(one)}
              {one.current ? (
                <Chip>
                  <Trans>This browser</Trans>
                </Chip>
              ) : null}
            </>
          ),
          detail: (
            <>
              {[one.address, t`used ${ago(one.usedAt)}`].filter(Boolean).join(" · ")}
              <br />
              {t`Signed in ${inFull(one.createdAt)}`} {ways[one.way] ?? ""}
            </>
          ),
          actions: one.current ? null : (
            <IconButton
              icon={LogOut}
              label={t`Sign out ${name(one)}`}
              onPress={() => void end({ ids: [one.id] }, t`It was signed out.`)}
            />
          ),
        }))}
      />
      <Confirm
        open={asked}
        close={() => setAsked(false)}
        title={t`Sign out everywhere else?`}
        words={t`All browsers but this one ask for the password again.`}
        action={t`Sign out everywhere else`}
        confirm={() => void end({ others: true }, t`You are signed out everywhere else.`)}
      />
    </Section>
  );
}
