import { useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { MethodError, RequestError } from "../../jmap/index.ts";

/** Something that the server may refuse, one at a time; why it did, in words. */
export function useAttempt(): [
  trouble: string,
  run: (attempt: () => Promise<unknown>) => Promise<boolean>,
] {
  const { t } = useLingui();
  const [trouble, setTrouble] = useState("");

  function said(error: unknown): string {
    if (error instanceof RequestError) {
      return error.trouble === "offline"
        ? t`There is no connection. Try again when there is one.`
        : t`The server cannot do this at the moment. Try again soon.`;
    }
    if (!(error instanceof MethodError)) throw error;
    if (error.type === "alreadyExists") return t`There is one of this name already.`;
    if (error.type === "overQuota") return t`There are as many of these as there can be.`;
    if (error.type === "forbidden") return t`You may not do this.`;
    if (error.type === "notFound") return t`It is gone.`;
    return error.message;
  }

  async function run(attempt: () => Promise<unknown>): Promise<boolean> {
    setTrouble("");
    try {
      await attempt();
      return true;
    } catch (error) {
      setTrouble(said(error));
      return false;
    }
  }
  return [trouble, run];
}
