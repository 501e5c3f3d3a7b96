import { resolve } from "node:path";
import { lingui } from "@lingui/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { preloadFont } from "./build/font.ts";
import { messageFrame } from "./build/frame.ts";
import { precompress } from "./build/precompress.ts";
import { serviceWorker } from "./build/worker.ts";

/** Where the built client goes; tools/web.sh names a folder of its own and moves it into place. */
const folder = resolve(import.meta.dirname, process.env.WEB_DIST ?? "../.work/web/dist");

export default defineConfig({
  plugins: [
    react(),
    // A text without its French fails the build.
    lingui({ macroTransform: true, failOnMissing: true, failOnCompileError: true }),
    preloadFont(),
    messageFrame(import.meta.dirname, folder),
    // In this order: the worker names all that is there.
    serviceWorker(import.meta.dirname, folder),
    precompress(folder),
  ],
  build: {
    outDir: folder,
    emptyOutDir: true,
    target: ["chrome120", "firefox121", "safari17.2"],
    // The content security policy allows no data: for scripts, styles or fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: {
      input: { index: resolve(import.meta.dirname, "index.html") },
      // What the first page needs is one file, not thirty.
      output: { codeSplitting: { groups: [{ name: "first", tags: ["$initial"] }] } },
    },
  },
  server: { proxy: { "/jmap": "http://127.0.0.1:2080", "/auth": "http://127.0.0.1:2080" } },
});
