import { Trans, useLingui } from "@lingui/react/macro";
import { Copy, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { ask, state } from "../../signin/index.ts";
import { Button, Checkbox, Dialog, IconButton, Notice, TextField, toasts } from "../../ui/index.ts";
import { Confirm } from "../Confirm.tsx";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { ProveProvider, useProved } from "../Prove.tsx";
import { Form, Items, Section } from "../Section.tsx";
import pageStyle from "../Settings.module.css";
import { ago } from "../times.ts";
import { type AppPassword, type Credentials, credentials } from "./credentials.ts";
import style from "./Security.module.css";

/** Passwords of programs: one for each on each device. */
export function AppPasswords() {
  const [found, again] = useLoaded(credentials);
  return (
    <ProveProvider>
      <Loaded found={found} again={again}>
        {(known) => (
          <div className={pageStyle.page}>
            <List known={known} again={again} />
          </div>
        )}
      </Loaded>
    </ProveProvider>
  );
}

function useProtocols(): Readonly<Record<string, string>> {
  const { t } = useLingui();
  return {
    imap: t`Reading mail (IMAP)`,
    pop3: t`Fetching mail (POP3)`,
    smtp: t`Sending mail (SMTP)`,
    sieve: t`Filters (ManageSieve)`,
    jmap: t`Mail apps by JMAP`,
    dav: t`Contacts (CardDAV)`,
  };
}

function List({ known, again }: { known: Credentials; again: () => void }) {
  const { t } = useLingui();
  const protocols = useProtocols();
  const tried = useTried();
  const [adding, setAdding] = useState(false);
  const [going, setGoing] = useState<AppPassword>();

  async function remove(one: AppPassword): Promise<void> {
    setGoing(undefined);
    if (!(await tried.run(() => ask("app-passwords/remove", { id: one.id })))) return;
    toasts.show(t`The password of ${one.label} was taken back.`);
    again();
  }

  const good = (one: AppPassword) =>
    one.protocols.length === known.protocols.length
      ? t`Everything`
      : one.protocols.map((name) => protocols[name] ?? name).join(", ");
  return (
    <Section
      about={
        <p>
          {known.secondStep.since ? (
            <Trans>
              You sign in with a second step, which mail programs cannot show. Give each program on
              each device a password of its own here.
            </Trans>
          ) : (
            <Trans>
              Give each program on each device a password of its own: when one is lost, you take
              that one back, and the others go on.
            </Trans>
          )}
        </p>
      }
      actions={
        <Button kind="primary" icon={Plus} onPress={() => setAdding(true)}>
          <Trans>New app password</Trans>
        </Button>
      }
    >
      {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      {known.appPasswords.length ? (
        <Items
          label={t`App passwords`}
          items={known.appPasswords.map((one) => ({
            id: one.id,
            name: one.label,
            detail: (
              <>
                {good(one)} · {one.lastUsedAt ? t`used ${ago(one.lastUsedAt)}` : t`not used yet`}
              </>
            ),
            actions: (
              <IconButton
                icon={Trash2}
                label={t`Take back the password of ${one.label}`}
                onPress={() => setGoing(one)}
              />
            ),
          }))}
        />
      ) : null}
      {adding ? (
        <Adding
          known={known}
          close={() => {
            setAdding(false);
            again();
          }}
        />
      ) : null}
      <Confirm
        open={Boolean(going)}
        close={() => setGoing(undefined)}
        title={t`Take this password back?`}
        words={t`The program that uses it is signed out within a minute and asks for another.`}
        action={t`Take it back`}
        confirm={() => going && void remove(going)}
      />
    </Section>
  );
}

function Adding({ known, close }: { known: Credentials; close: () => void }) {
  const { t } = useLingui();
  const proved = useProved();
  const protocols = useProtocols();
  const tried = useTried();
  const [who] = useLoaded(state);
  const [label, setLabel] = useState("");
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(known.protocols));
  const [made, setMade] = useState("");

  function turn(name: string, on: boolean): void {
    const next = new Set(chosen);
    if (on) next.add(name);
    else next.delete(name);
    setChosen(next);
  }

  async function add(): Promise<void> {
    const every = chosen.size === known.protocols.length;
    await tried.run(async () => {
      const form = { label, protocols: every ? [] : [...chosen] };
      const answer = await proved(() => ask<{ password: string }>("app-passwords/add", form));
      setMade(answer.password);
    });
  }

  if (made) {
    return (
      <Dialog open close={close} title={t`The password of ${label}`} closeLabel={t`Close`}>
        <Form
          submit={close}
          actions={
            <Button type="submit" kind="primary">
              <Trans>Done</Trans>
            </Button>
          }
        >
          <p>
            <Trans>Type it into the program now: it is not shown again.</Trans>
          </p>
          <div className={style.password}>
            <code>{made}</code>
            <IconButton
              icon={Copy}
              label={t`Copy the password`}
              onPress={() =>
                void navigator.clipboard
                  .writeText(made)
                  .then(() => toasts.show(t`The password was copied.`))
              }
            />
          </div>
          {who && typeof who === "object" ? (
            <dl className={style.facts}>
              <dt>{t`User name`}</dt>
              <dd>{who.address}</dd>
            </dl>
          ) : null}
        </Form>
      </Dialog>
    );
  }

  return (
    <Dialog open close={close} title={t`New app password`} closeLabel={t`Close`}>
      <Form
        submit={() => void add()}
        actions={
          <Button type="submit" kind="primary" isDisabled={!chosen.size}>
            <Trans>Make the password</Trans>
          </Button>
        }
      >
        {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
        <TextField
          label={t`What it is for`}
          hint={t`By which you know it again, such as “Thunderbird on the laptop”.`}
          value={label}
          onChange={setLabel}
          maxLength={60}
          isRequired
          autoFocus
        />
        <fieldset className={style.protocols}>
          <legend>
            <Trans>It may be used for</Trans>
          </legend>
          {known.protocols.map((name) => (
            <Checkbox key={name} on={chosen.has(name)} turn={(on) => turn(name, on)}>
              {protocols[name] ?? name}
            </Checkbox>
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}
