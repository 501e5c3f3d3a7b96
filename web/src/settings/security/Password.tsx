import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { ask } from "../../signin/index.ts";
import { Button, Notice, TextField, toasts } from "../../ui/index.ts";
import { useTried } from "../hooks.ts";
import { Form, Section } from "../Section.tsx";

/** Another password. Whatever signed in with the old one ends. */
export function Password() {
  const { t } = useLingui();
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const tried = useTried(t`The present password is not right.`);
  const reveal = { show: t`Show the password`, hide: t`Hide the password` };

  async function change(): Promise<void> {
    if (!(await tried.run(() => ask("password", { old, new: fresh })))) return;
    setOld("");
    setFresh("");
    toasts.show(t`Your password was changed. You are signed out everywhere else.`);
  }

  return (
    <Section
      title={t`Password`}
      about={
        <p>
          <Trans>
            A new one signs you out everywhere else; mail programs that use it ask for it again.
          </Trans>
        </p>
      }
    >
      <Form
        submit={() => void change()}
        actions={
          <Button type="submit">
            <Trans>Change the password</Trans>
          </Button>
        }
      >
        {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
        <TextField
          label={t`Present password`}
          type="password"
          autoComplete="current-password"
          value={old}
          onChange={setOld}
          isRequired
          reveal={reveal}
        />
        <TextField
          label={t`New password`}
          hint={t`Several words that have nothing to do with each other are good, and easy to type.`}
          type="password"
          autoComplete="new-password"
          value={fresh}
          onChange={setFresh}
          isRequired
          reveal={reveal}
        />
      </Form>
    </Section>
  );
}
