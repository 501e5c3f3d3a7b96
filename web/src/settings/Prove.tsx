/** What changes how one signs in asks for the password or a passkey once more, unless it was shown a moment
    ago: then what was begun goes on by itself. */
import { Trans, useLingui } from "@lingui/react/macro";
import { KeyRound } from "lucide-react";
import { createContext, type ReactNode, useCallback, useContext, useRef, useState } from "react";
import { AuthError, ask, hasPasskeys, proveByPasskey, wordsOf } from "../signin/index.ts";
import { Button, Dialog, Notice, TextField } from "../ui/index.ts";
import { Form } from "./Section.tsx";

type Proved = <T>(act: () => Promise<T>) => Promise<T>;

const ProveContext = createContext<Proved>((act) => act());

/** Does something, asking for a proof where it is wanted. Throws `AuthError`; "broken-off" where its person
    thought better of it. */
export const useProved = (): Proved => useContext(ProveContext);

export function ProveProvider({ children }: { children: ReactNode }) {
  const [asked, setAsked] = useState(false);
  const answer = useRef<(proved: boolean) => void>(() => {});
  const end = useCallback((proved: boolean) => {
    setAsked(false);
    answer.current(proved);
  }, []);
  const proved = useCallback<Proved>(async (act) => {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof AuthError) || error.error !== "prove") throw error;
    }
    const shown = await new Promise<boolean>((resolve) => {
      answer.current = resolve;
      setAsked(true);
    });
    if (!shown) throw new AuthError("broken-off");
    return act();
  }, []);
  return (
    <ProveContext value={proved}>
      {children}
      {asked ? <ProveDialog end={end} /> : null}
    </ProveContext>
  );
}

function ProveDialog({ end }: { end: (proved: boolean) => void }) {
  const { t, i18n } = useLingui();
  const [password, setPassword] = useState("");
  /** Of the second step, once it is asked for. */
  const [code, setCode] = useState<string>();
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);

  async function tried(attempt: () => Promise<unknown>): Promise<void> {
    if (busy) return;
    setBusy(true);
    setTrouble("");
    try {
      await attempt();
      end(true);
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      setBusy(false);
      if (error.error === "code") return setCode("");
      setTrouble(wordsOf(error, i18n, t`That is not right. Try again.`));
    }
  }

  return (
    <Dialog open close={() => end(false)} title={t`Is it you?`} closeLabel={t`Close`}>
      <Form
        submit={() => void tried(() => ask("prove", { password, ...(code ? { code } : {}) }))}
        actions={
          <>
            <Button type="submit" kind="primary">
              <Trans>Go on</Trans>
            </Button>
            {hasPasskeys() ? (
              <Button kind="quiet" icon={KeyRound} onPress={() => void tried(proveByPasskey)}>
                <Trans>Use a passkey</Trans>
              </Button>
            ) : null}
          </>
        }
      >
        <p>
          <Trans>This changes how you sign in. Type your password once more.</Trans>
        </p>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <TextField
          label={t`Password`}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
          isRequired
          autoFocus
        />
        {code === undefined ? null : (
          <TextField
            label={t`Code of your authenticator app, or a recovery code`}
            autoComplete="one-time-code"
            value={code}
            onChange={setCode}
            isRequired
            autoFocus
          />
        )}
      </Form>
    </Dialog>
  );
}
