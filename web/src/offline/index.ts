export { gather } from "./gather.ts";
export { forgetShelf, Shelf } from "./shelf.ts";
export { ShelvedTransport } from "./transport.ts";
