export { signOut, state } from "./auth.ts";
export { SignIn } from "./SignIn.tsx";
