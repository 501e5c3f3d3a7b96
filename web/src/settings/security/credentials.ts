/** What signs in to one's account, as `/auth/credentials` tells it (docs/sign-in.md). Times: Unix seconds. */
import { ask } from "../../signin/index.ts";

export interface Passkey {
  readonly id: number;
  readonly label: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export interface AppPassword extends Passkey {
  readonly protocols: readonly string[];
}

export interface Credentials {
  readonly secondStep: {
    readonly since: number | null;
    readonly totpSince: number | null;
    readonly recoveryCodesLeft: number;
  };
  readonly passkeys: readonly Passkey[];
  readonly appPasswords: readonly AppPassword[];
  readonly protocols: readonly string[];
}

export interface Session {
  readonly id: number;
  readonly current: boolean;
  readonly createdAt: number;
  readonly usedAt: number;
  /** What was shown: password, passkey, totp, recovery. */
  readonly way: string;
  /** What the browser said of itself. */
  readonly agent: string;
  readonly address: string;
}

export interface Codes {
  /** Nothing where a second step was asked for before. */
  readonly recoveryCodes: readonly string[] | null;
}

export const credentials = () => ask<Credentials>("credentials");
