export { default as Mail } from "./Mail.tsx";
export { forgetMail } from "./session.ts";
