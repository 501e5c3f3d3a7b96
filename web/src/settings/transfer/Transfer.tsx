import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Download, Upload } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { mailboxName, pathName, tree } from "../../folders/index.ts";
import { fileSize } from "../../i18n/index.ts";
import type { Id, JmapClient, Mailbox } from "../../jmap/index.ts";
import { Button, Choice, Notice, Select } from "../../ui/index.ts";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Section } from "../Section.tsx";
import pageStyle from "../Settings.module.css";
import { client } from "../session.ts";
import { bring, type Progress } from "./importing.ts";
import style from "./Transfer.module.css";

interface Found {
  readonly client: JmapClient;
  readonly mailboxes: readonly Mailbox[];
}

async function load(): Promise<Found> {
  const server = await client();
  const batch = server.batch();
  const call = batch.add("Mailbox/get", { ids: null });
  const all = (await server.send(batch)).of(call).list;
  return { client: server, mailboxes: tree(all).map(([one]) => one) };
}

/** Mail in files, in and out. */
export function Transfer() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {(there) => (
        <div className={pageStyle.page}>
          <Import {...there} />
          <Export {...there} />
        </div>
      )}
    </Loaded>
  );
}

function useFolders(mailboxes: readonly Mailbox[]) {
  const { i18n } = useLingui();
  return mailboxes.map((one) => ({ id: one.id as string, name: pathName(one, mailboxes, i18n) }));
}

function Import({ client: server, mailboxes }: Found) {
  const { t, i18n } = useLingui();
  const tried = useTried();
  const inbox = mailboxes.find((one) => one.role === "inbox") ?? mailboxes[0];
  const [to, setTo] = useState<Id>(inbox?.id ?? "");
  const [progress, setProgress] = useState<Progress>();
  const chooser = useRef<HTMLInputElement>(null);
  const stop = useRef<AbortController>(undefined);
  useEffect(() => () => stop.current?.abort(), []);

  async function begin(files: readonly File[]): Promise<void> {
    if (!files.length) return;
    stop.current = new AbortController();
    const { signal } = stop.current;
    await tried.run(() => bring(server, files, to, setProgress, signal));
  }

  const why = (words: string) =>
    words === "not mbox"
      ? t`this is no mbox file, nor a message (.eml)`
      : words === "too large"
        ? t`this is too large`
        : words;
  const target = mailboxes.find((one) => one.id === to);
  return (
    <Section
      title={t`Import`}
      about={
        <p>
          <Trans>
            Bring messages in from files: mbox, as Thunderbird and Google Takeout make it, or .eml.
            What is in the folder already is not doubled.
          </Trans>
        </p>
      }
      actions={
        tried.busy ? (
          <Button onPress={() => stop.current?.abort()}>
            <Trans>Stop</Trans>
          </Button>
        ) : (
          <Button kind="primary" icon={Upload} onPress={() => chooser.current?.click()}>
            <Trans>Choose files</Trans>
          </Button>
        )
      }
    >
      <Select
        label={t`Into the folder`}
        chosen={to}
        choose={setTo}
        options={useFolders(mailboxes)}
      />
      <input
        ref={chooser}
        type="file"
        className="visually-hidden"
        accept=".mbox,.mbx,.eml,message/rfc822,application/mbox"
        multiple
        tabIndex={-1}
        aria-label={t`Files of mail`}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = "";
          void begin(files);
        }}
      />
      {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      {progress ? (
        <div className={style.report} role="status">
          <progress
            className={style.bar}
            max={Math.max(1, progress.size)}
            value={progress.read}
            aria-label={t`Import`}
          />
          <p>
            <Plural
              value={progress.imported}
              one={`# message imported into ${target ? mailboxName(target, i18n) : ""}`}
              other={`# messages imported into ${target ? mailboxName(target, i18n) : ""}`}
            />
            {progress.there ? (
              <>
                {" · "}
                <Plural value={progress.there} one="# was there" other="# were there" />
              </>
            ) : null}
            {progress.failed ? (
              <>
                {" · "}
                <Plural value={progress.failed} one="# failed" other="# failed" />
              </>
            ) : null}
            {tried.busy ? ` · ${fileSize(progress.read)} / ${fileSize(progress.size)}` : null}
          </p>
          {progress.failures.length ? (
            <ul className={style.failures} aria-label={t`What was not imported`}>
              {progress.failures.map((one) => (
                <li key={one.what}>
                  {one.what}: {why(one.why)}
                </li>
              ))}
            </ul>
          ) : null}
        </div>
      ) : null}
    </Section>
  );
}

function Export({ client: server, mailboxes }: Found) {
  const { t } = useLingui();
  const [from, setFrom] = useState<Id>(mailboxes[0]?.id ?? "");
  const [form, setForm] = useState<"mbox" | "zip">("mbox");
  return (
    <Section
      title={t`Export`}
      about={
        <p>
          <Trans>
            A whole folder as one file, with everything in it. It takes a while where there is much.
          </Trans>
        </p>
      }
      actions={
        <Button
          icon={Download}
          onPress={() => {
            location.assign(`/jmap/export/${server.account}/${from}?form=${form}`);
          }}
        >
          <Trans>Download</Trans>
        </Button>
      }
    >
      <Select
        label={t`The folder`}
        chosen={from}
        choose={setFrom}
        options={useFolders(mailboxes)}
      />
      <Choice
        label={t`As`}
        chosen={form}
        choose={setForm}
        options={[
          { id: "mbox", name: t`mbox, for other mail programs` },
          { id: "zip", name: t`zip, a file for each message` },
        ]}
      />
    </Section>
  );
}
