/** Signing in and out, by the server's JSON under /auth/. */

export type SignedIn =
  | { outcome: "in" }
  | { outcome: "next"; next: "totp" | "passkey" }
  | { outcome: "refused"; error: string; text: string }
  | { outcome: "away" };

type Answer = { signedIn?: boolean; next?: "totp" | "passkey"; error?: string; text?: string };

async function asked(path: string, content?: object): Promise<[number, Answer]> {
  const response = await fetch(path, {
    ...(content
      ? {
          method: "POST",
          body: JSON.stringify(content),
          headers: { "Content-Type": "application/json" },
        }
      : {}),
    cache: "no-store",
  });
  const kind = response.headers.get("content-type") ?? "";
  return [response.status, kind.includes("json") ? ((await response.json()) as Answer) : {}];
}

/** Whether this browser is signed in; "away" where the server cannot be asked. */
export async function state(): Promise<boolean | "away"> {
  try {
    const [status, answer] = await asked("/auth/state");
    return status >= 500 ? "away" : answer.signedIn === true;
  } catch {
    return "away";
  }
}

export async function signIn(name: string, password: string): Promise<SignedIn> {
  try {
    const [status, answer] = await asked("/auth/sign-in", { name, password });
    if (answer.next) return { outcome: "next", next: answer.next };
    if (status === 200) return { outcome: "in" };
    if (status >= 500 && !answer.error) return { outcome: "away" };
    return { outcome: "refused", error: answer.error ?? "", text: answer.text ?? "" };
  } catch {
    return { outcome: "away" };
  }
}

export async function signOut(): Promise<void> {
  await asked("/auth/sign-out", {});
}
