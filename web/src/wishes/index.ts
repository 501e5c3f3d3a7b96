export { Looks } from "./Looks.tsx";
export { Offline } from "./Offline.tsx";
