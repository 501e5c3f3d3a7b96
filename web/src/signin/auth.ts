/** Signing in and out, by the server's JSON under /auth/ (docs/sign-in.md). */

/** What `/auth/` refused, by its word for programs; "offline" where it could not be asked. */
export class AuthError extends Error {
  override readonly name = "AuthError";
  readonly error: string;
  /** Seconds that the server asks to wait, 0 where it said nothing. */
  readonly wait: number;
  constructor(error: string, text = "", wait = 0) {
    super(text || error);
    this.error = error;
    this.wait = wait;
  }
}

interface Trouble {
  readonly error?: string;
  readonly text?: string;
}

/** The answer of a path under `/auth/`; a POST where there is content. Throws `AuthError`. */
export async function ask<T>(path: string, content?: object): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/auth/${path}`, {
      ...(content
        ? {
            method: "POST",
            body: JSON.stringify(content),
            headers: { "Content-Type": "application/json" },
          }
        : {}),
      cache: "no-store",
    });
  } catch {
    throw new AuthError("offline");
  }
  const kind = response.headers.get("content-type") ?? "";
  const answer = (kind.includes("json") ? await response.json() : {}) as T & Trouble;
  if (response.ok) return answer;
  const wait = Number(response.headers.get("retry-after") ?? 0) || 0;
  throw new AuthError(
    answer.error ?? (response.status >= 500 ? "away" : "refused"),
    answer.text,
    wait,
  );
}

/** What a second step may be. */
export type Way = "totp" | "passkey" | "recovery";

export type SignedIn = { readonly signedIn: true } | { readonly methods: readonly Way[] };

export interface Who {
  readonly address: string;
  readonly name: string;
  /** A language tag: what the server writes to them in. */
  readonly locale: string;
}

/** Who is signed in, nobody, or "away" where the server cannot be asked. */
export async function state(): Promise<Who | "nobody" | "away"> {
  try {
    const answer = await ask<{ signedIn: boolean; account?: Who }>("state");
    return (answer.signedIn && answer.account) || "nobody";
  } catch (error) {
    if (error instanceof AuthError) return error.error === "signed-out" ? "nobody" : "away";
    throw error;
  }
}

/** The first step. `passing`: on a device that is not one's own. Throws `AuthError`. */
export function signIn(name: string, password: string, passing: boolean): Promise<SignedIn> {
  return ask("sign-in", { name, password, passing });
}

export async function signOut(): Promise<void> {
  await ask("sign-out", {});
}
