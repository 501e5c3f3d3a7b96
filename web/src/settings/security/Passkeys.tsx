import { Trans, useLingui } from "@lingui/react/macro";
import { KeyRound, Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { ask, hasPasskeys, makePasskey } from "../../signin/index.ts";
import { Button, Dialog, IconButton, Notice, TextField, toasts } from "../../ui/index.ts";
import { Confirm } from "../Confirm.tsx";
import { useTried } from "../hooks.ts";
import { useProved } from "../Prove.tsx";
import { Form, Items, Section } from "../Section.tsx";
import { ago } from "../times.ts";
import { deviceOf } from "./agents.ts";
import type { Credentials, Passkey } from "./credentials.ts";

/** What signs in by a finger, a face or a key that is plugged in. */
export function Passkeys({ known, again }: { known: Credentials; again: () => void }) {
  const { t } = useLingui();
  const proved = useProved();
  const [named, setNamed] = useState<Passkey | "new">();
  const [going, setGoing] = useState<Passkey>();
  const exists = t`This device has a passkey of this account already.`;
  const tried = useTried("", exists);

  async function save(label: string): Promise<void> {
    const one = named;
    const worked = await tried.run(() =>
      one === "new"
        ? proved(() => makePasskey(label))
        : ask("passkeys/rename", { id: one?.id, label }),
    );
    if (!worked) return;
    setNamed(undefined);
    again();
  }

  async function remove(one: Passkey): Promise<void> {
    setGoing(undefined);
    const worked = await tried.run(() => proved(() => ask("passkeys/remove", { id: one.id })));
    if (!worked) return;
    toasts.show(t`The passkey was removed.`);
    again();
  }

  return (
    <Section
      title={t`Passkeys`}
      about={
        <p>
          <Trans>
            A passkey signs you in without a password: by your finger, your face, the PIN of your
            device, or a security key.
          </Trans>
        </p>
      }
      actions={
        hasPasskeys() ? (
          <Button icon={KeyRound} onPress={() => [tried.forget(), setNamed("new")]}>
            <Trans>Add a passkey</Trans>
          </Button>
        ) : (
          <Notice>
            <Trans>This browser knows no passkeys here.</Trans>
          </Notice>
        )
      }
    >
      {tried.trouble && !named ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      {known.passkeys.length ? (
        <Items
          label={t`Passkeys`}
          items={known.passkeys.map((one) => ({
            id: one.id,
            name: one.label,
            detail: one.lastUsedAt
              ? t`Made ${ago(one.createdAt)}, used ${ago(one.lastUsedAt)}`
              : t`Made ${ago(one.createdAt)}, not used yet`,
            actions: (
              <>
                <IconButton
                  icon={Pencil}
                  label={t`Rename ${one.label}`}
                  onPress={() => [tried.forget(), setNamed(one)]}
                />
                <IconButton
                  icon={Trash2}
                  label={t`Remove ${one.label}`}
                  onPress={() => setGoing(one)}
                />
              </>
            ),
          }))}
        />
      ) : null}
      {named ? (
        <Naming
          title={named === "new" ? t`Add a passkey` : t`Rename the passkey`}
          before={named === "new" ? deviceOf(navigator.userAgent).join(", ") : named.label}
          action={named === "new" ? t`Go on` : t`Save`}
          trouble={tried.trouble}
          save={(label) => void save(label)}
          close={() => setNamed(undefined)}
        />
      ) : null}
      <Confirm
        open={Boolean(going)}
        close={() => setGoing(undefined)}
        title={t`Remove this passkey?`}
        words={t`It does not sign you in any more. On the device it stays until you remove it there.`}
        action={t`Remove`}
        confirm={() => going && void remove(going)}
      />
    </Section>
  );
}

function Naming({
  title,
  before,
  action,
  trouble,
  save,
  close,
}: {
  title: string;
  before: string;
  action: string;
  trouble: string;
  save: (label: string) => void;
  close: () => void;
}) {
  const { t } = useLingui();
  const [label, setLabel] = useState(before);
  return (
    <Dialog open close={close} title={title} closeLabel={t`Close`}>
      <Form
        submit={() => save(label)}
        actions={
          <Button type="submit" kind="primary">
            {action}
          </Button>
        }
      >
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <TextField
          label={t`Name`}
          hint={t`By which you know it again, such as “Phone” or “Blue key”.`}
          value={label}
          onChange={setLabel}
          maxLength={60}
          isRequired
          autoFocus
        />
      </Form>
    </Dialog>
  );
}
