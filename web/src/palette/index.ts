export type { Command } from "./command.ts";
export { default as Palette, type PaletteProps } from "./Palette.tsx";
