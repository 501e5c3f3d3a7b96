export { default as Mail } from "./Mail.tsx";
export { forgetMail, forgetWritten } from "./session.ts";
