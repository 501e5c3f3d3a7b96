export { AuthError, ask, signOut, state, type Who } from "./auth.ts";
export { hasPasskeys, makePasskey, proveByPasskey } from "./passkeys.ts";
export { SignIn } from "./SignIn.tsx";
export { wordsOf } from "./words.ts";
