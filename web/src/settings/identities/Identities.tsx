import { Trans, useLingui } from "@lingui/react/macro";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { type ComponentType, useEffect, useState } from "react";
import { type Identity, MethodError } from "../../jmap/index.ts";
import { Button, Dialog, IconButton, Notice, Skeleton, TextField, toasts } from "../../ui/index.ts";
import { Confirm } from "../Confirm.tsx";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Form, Items, Section } from "../Section.tsx";
import pageStyle from "../Settings.module.css";
import { client } from "../session.ts";
import type { SignatureEditorProps } from "./SignatureEditor.tsx";

interface Found {
  readonly state: string;
  readonly identities: readonly Identity[];
}

async function load(): Promise<Found> {
  const server = await client();
  const batch = server.batch();
  const call = batch.add("Identity/get", { ids: null });
  const { state, list } = (await server.send(batch)).of(call);
  return { state, identities: list };
}

/** Throws `RequestError`, `MethodError`. */
async function set(change: object): Promise<void> {
  const server = await client();
  const batch = server.batch();
  const call = batch.add("Identity/set", change);
  const answer = (await server.send(batch)).of(call);
  for (const refused of [answer.notCreated, answer.notUpdated, answer.notDestroyed]) {
    const [error] = Object.values(refused ?? {});
    if (error) throw new MethodError(error.type, error.description);
  }
}

/** From whom one writes, and what stands below it. */
export function Identities() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {(there) => (
        <div className={pageStyle.page}>
          <List found={there} again={again} />
        </div>
      )}
    </Loaded>
  );
}

type Edited = Pick<Identity, "name" | "email" | "textSignature" | "htmlSignature"> & {
  readonly id: string;
  readonly replyTo: string;
};

function List({ found, again }: { found: Found; again: () => void }) {
  const { t } = useLingui();
  const tried = useTried();
  const [edited, setEdited] = useState<Edited>();
  const [going, setGoing] = useState<Identity>();

  async function save(one: Edited): Promise<void> {
    const { id, email, replyTo, ...rest } = one;
    const address = replyTo.trim();
    const properties = { ...rest, replyTo: address ? [{ name: null, email: address }] : null };
    const change = id
      ? { update: { [id]: properties } }
      : { create: { new: { ...properties, email: email.trim() } } };
    if (!(await tried.run(() => set({ ifInState: found.state, ...change })))) return;
    setEdited(undefined);
    toasts.show(t`The identity was saved.`);
    again();
  }

  async function remove(one: Identity): Promise<void> {
    setGoing(undefined);
    if (await tried.run(() => set({ destroy: [one.id] }))) again();
  }

  function edit(one?: Identity): void {
    tried.forget();
    setEdited({
      id: one?.id ?? "",
      name: one?.name ?? "",
      email: one?.email ?? "",
      textSignature: one?.textSignature ?? "",
      htmlSignature: one?.htmlSignature ?? "",
      replyTo: one?.replyTo?.[0]?.email ?? "",
    });
  }

  return (
    <Section
      about={
        <p>
          <Trans>
            Each address that you write from, the name that people see, and what stands below your
            messages.
          </Trans>
        </p>
      }
      actions={
        <Button icon={Plus} onPress={() => edit()}>
          <Trans>New identity</Trans>
        </Button>
      }
    >
      {tried.trouble && !edited ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      <Items
        label={t`Identities`}
        items={found.identities.map((one) => ({
          id: one.id,
          name: one.name || one.email,
          detail: (
            <>
              {one.email}
              {one.textSignature.trim() ? ` · ${one.textSignature.trim().split("\n")[0]}` : ""}
            </>
          ),
          actions: (
            <>
              <IconButton icon={Pencil} label={t`Change ${one.email}`} onPress={() => edit(one)} />
              {one.mayDelete ? (
                <IconButton
                  icon={Trash2}
                  label={t`Remove ${one.email}`}
                  onPress={() => setGoing(one)}
                />
              ) : null}
            </>
          ),
        }))}
      />
      {edited ? (
        <Dialog
          open
          size="wide"
          close={() => setEdited(undefined)}
          title={edited.id ? t`Change the identity` : t`New identity`}
          closeLabel={t`Close`}
        >
          <Form
            submit={() => void save(edited)}
            actions={
              <Button type="submit" kind="primary">
                <Trans>Save</Trans>
              </Button>
            }
          >
            {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
            <TextField
              label={t`Name`}
              hint={t`That people see beside the address.`}
              value={edited.name}
              onChange={(name) => setEdited({ ...edited, name })}
              maxLength={200}
            />
            {edited.id ? null : (
              <TextField
                label={t`Mail address`}
                hint={t`One that you may write from.`}
                type="email"
                value={edited.email}
                onChange={(email) => setEdited({ ...edited, email })}
                isRequired
              />
            )}
            <TextField
              label={t`Answers go to`}
              hint={t`Empty: to the address itself.`}
              type="email"
              value={edited.replyTo}
              onChange={(replyTo) => setEdited({ ...edited, replyTo })}
            />
            <Signature
              html={edited.htmlSignature}
              text={edited.textSignature}
              change={(htmlSignature, textSignature) =>
                setEdited((now) => now && { ...now, htmlSignature, textSignature })
              }
            />
          </Form>
        </Dialog>
      ) : null}
      <Confirm
        open={Boolean(going)}
        close={() => setGoing(undefined)}
        title={t`Remove this identity?`}
        words={t`You no longer write from it. Mail to the address still reaches you.`}
        action={t`Remove`}
        confirm={() => going && void remove(going)}
      />
    </Section>
  );
}

/** The editor is large, and comes when it is needed. */
function Signature(props: SignatureEditorProps) {
  const [Editor, setEditor] = useState<ComponentType<SignatureEditorProps>>();
  useEffect(() => {
    void import("./SignatureEditor.tsx").then(({ SignatureEditor }) =>
      setEditor(() => SignatureEditor),
    );
  }, []);
  return Editor ? <Editor {...props} /> : <Skeleton width="long" />;
}
