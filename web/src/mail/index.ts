export { default as Mail } from "./Mail.tsx";
