export { AuthError, ask, state, type Who } from "./auth.ts";
export { arrived, leave, leaving } from "./leaving.ts";
export { hasPasskeys, makePasskey, proveByPasskey } from "./passkeys.ts";
export { SignIn } from "./SignIn.tsx";
export { wordsOf } from "./words.ts";
