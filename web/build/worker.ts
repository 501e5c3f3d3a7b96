/** Makes sw.js, the service worker: with the names of all that the client is made of, so that it is there without
    a connection. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin } from "vite";

/** What the server chooses by itself, and the worker. */
const LEFT_OUT = /\.(?:br|gz)$|^\/(?:sw\.js|index\.html)$/;

export function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

async function script(root: string, files: readonly string[], version: string): Promise<string> {
  const built = await build({
    configFile: false,
    root,
    logLevel: "warn",
    publicDir: false,
    define: { __FILES__: JSON.stringify(files), __VERSION__: JSON.stringify(version) },
    build: {
      write: false,
      target: "chrome120",
      lib: { entry: join(root, "src/worker/sw.ts"), formats: ["iife"], name: "worker" },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  const [chunk] = result && "output" in result ? result.output : [];
  if (chunk?.type !== "chunk") throw new Error("sw.js was not built");
  return chunk.code;
}

export function serviceWorker(root: string, folder: string): Plugin {
  return {
    name: "service-worker",
    apply: "build",
    writeBundle: {
      order: "post",
      sequential: true,
      async handler() {
        const paths = filesUnder(folder).sort();
        const version = createHash("sha256");
        for (const path of paths) version.update(relative(folder, path)).update(readFileSync(path));
        const names = paths
          .map((path) => `/${relative(folder, path)}`)
          .filter((name) => !LEFT_OUT.test(name));
        const text = await script(root, ["/", ...names], version.digest("hex").slice(0, 16));
        writeFileSync(join(folder, "sw.js"), text);
      },
    },
  };
}
