export { default as Settings } from "./Settings.tsx";
