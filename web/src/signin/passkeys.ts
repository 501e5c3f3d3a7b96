/** Passkeys: what the server wants in JSON, as the browser takes it, and back (Web Authentication, level 3).
    Browsers do so by themselves only since 2024. */
import { AuthError, ask } from "./auth.ts";

export function octets(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export function text(octets: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(octets));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

interface Descriptor {
  readonly id: string;
  readonly type: "public-key";
  readonly transports?: AuthenticatorTransport[];
}

interface AskOptions {
  readonly challenge: string;
  readonly rpId: string;
  readonly timeout?: number;
  readonly allowCredentials?: readonly Descriptor[];
  readonly userVerification: UserVerificationRequirement;
}

interface MakeOptions {
  readonly challenge: string;
  readonly rp: PublicKeyCredentialRpEntity;
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string };
  readonly pubKeyCredParams: PublicKeyCredentialParameters[];
  readonly timeout?: number;
  readonly excludeCredentials?: readonly Descriptor[];
  readonly authenticatorSelection?: AuthenticatorSelectionCriteria;
  readonly attestation?: AttestationConveyancePreference;
}

const described = (known: readonly Descriptor[] = []) =>
  known.map((one) => ({ ...one, id: octets(one.id) }));

/** Whether this browser knows passkeys, here: they need https, or this machine itself. */
export function hasPasskeys(): boolean {
  return "PublicKeyCredential" in globalThis && "credentials" in navigator;
}

/** The passkey's answer, or nothing where its person thought better of it. */
async function given(asked: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  let found: Credential | null = null;
  try {
    found = await asked();
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new AuthError(name === "InvalidStateError" ? "exists" : "broken-off");
  }
  if (!(found instanceof PublicKeyCredential)) throw new AuthError("broken-off");
  return found;
}

async function shown(options: AskOptions): Promise<object> {
  const found = await given(() =>
    navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: octets(options.challenge),
        allowCredentials: described(options.allowCredentials),
      },
    }),
  );
  const response = found.response as AuthenticatorAssertionResponse;
  return {
    ...common(found),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      authenticatorData: text(response.authenticatorData),
      signature: text(response.signature),
      userHandle: response.userHandle ? text(response.userHandle) : null,
    },
  };
}

const common = (found: PublicKeyCredential) => ({
  id: found.id,
  rawId: text(found.rawId),
  type: found.type,
  authenticatorAttachment: found.authenticatorAttachment,
  clientExtensionResults: {},
});

/** Sign in by a passkey: `alone`, or after the password. Throws `AuthError`. */
export async function signInByPasskey(alone: boolean, passing: boolean): Promise<void> {
  const { options } = await ask<{ options: AskOptions }>("passkey/begin", { alone, passing });
  await ask("passkey/finish", { credential: await shown(options) });
}

/** Show once more that one is who is signed in. Throws `AuthError`. */
export async function proveByPasskey(): Promise<void> {
  const { options } = await ask<{ options: AskOptions }>("prove/passkey/begin", {});
  await ask("prove/passkey/finish", { credential: await shown(options) });
}

/** Make a passkey of this device, or of a key that is plugged in. Throws `AuthError`. */
export async function makePasskey(label: string): Promise<void> {
  const { options } = await ask<{ options: MakeOptions }>("passkeys/begin", {});
  const made = await given(() =>
    navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: octets(options.challenge),
        user: { ...options.user, id: octets(options.user.id) },
        excludeCredentials: described(options.excludeCredentials),
      },
    }),
  );
  const response = made.response as AuthenticatorAttestationResponse;
  const credential = {
    ...common(made),
    response: {
      clientDataJSON: text(response.clientDataJSON),
      attestationObject: text(response.attestationObject),
      transports: response.getTransports(),
    },
  };
  await ask("passkeys/finish", { credential, label });
}
