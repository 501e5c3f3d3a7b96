/** Writes a .br and a .gz beside each file that gains by it, so that the server only chooses. */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";
import { filesUnder } from "./worker.ts";

const KINDS = /\.(?:js|css|html|svg|json|webmanifest|txt)$/;
const LEAST = 512; // octets; below it the header costs more than is won

export function precompress(folder: string): Plugin {
  return {
    name: "precompress",
    apply: "build",
    // After whatever else writes files.
    writeBundle: {
      order: "post",
      sequential: true,
      handler() {
        for (const path of filesUnder(folder)) {
          if (!KINDS.test(path)) continue;
          const plain = readFileSync(path);
          if (plain.length < LEAST) continue;
          const brotli = brotliCompressSync(plain, {
            params: {
              [constants.BROTLI_PARAM_QUALITY]: 11,
              [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
            },
          });
          if (brotli.length < plain.length) writeFileSync(`${path}.br`, brotli);
          const gzip = gzipSync(plain, { level: 9 });
          if (gzip.length < plain.length) writeFileSync(`${path}.gz`, gzip);
        }
      },
    },
  };
}
