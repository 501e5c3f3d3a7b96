/** The connection of the settings' pages to the server, made once. */
import { createContext, useCallback, useContext } from "react";
import { JmapClient, RequestError } from "../jmap/index.ts";
import { AuthError } from "../signin/index.ts";

/** Told when nobody is signed in any more. */
export const EndedContext = createContext<() => void>(() => {});

let connected: Promise<JmapClient> | undefined;

/** Throws `RequestError`. */
export async function client(): Promise<JmapClient> {
  connected ??= JmapClient.connect();
  try {
    return await connected;
  } catch (error) {
    connected = undefined;
    throw error;
  }
}

/** Leads to the sign-in page where that is why something failed. */
export function useEnded(): (error: unknown) => void {
  const ended = useContext(EndedContext);
  return useCallback(
    (error) => {
      const out =
        (error instanceof AuthError && error.error === "signed-out") ||
        (error instanceof RequestError && error.trouble === "signedOut");
      if (!out) return;
      connected = undefined;
      ended();
    },
    [ended],
  );
}
