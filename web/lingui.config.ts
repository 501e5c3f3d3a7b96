import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "fr"],
  // TEXTS: where a check lets them be written.
  catalogs: [
    { path: process.env.TEXTS ?? "<rootDir>/src/i18n/{locale}", include: ["<rootDir>/src"] },
  ],
  // No line numbers: a catalogue changes where a text does, not where code moves.
  format: formatter({ lineNumbers: false }),
});
