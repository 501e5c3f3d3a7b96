/** Makes frame.html: the page that shows a message, with its one script within it, so that its policy can name
    the script by hash and nothing else can run. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "vite";

const PLACE = "/* src/frame/frame.ts */";

async function page(root: string): Promise<string> {
  const built = await build({
    configFile: false,
    root,
    logLevel: "warn",
    publicDir: false,
    build: {
      write: false,
      target: "chrome120",
      lib: { entry: join(root, "src/frame/frame.ts"), formats: ["iife"], name: "frame" },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  const [chunk] = result && "output" in result ? result.output : [];
  if (chunk?.type !== "chunk") throw new Error("the script of frame.html was not built");
  // What would end the script is written otherwise.
  const script = chunk.code.replace(/<(?=\/script|!--)/gi, "\\x3c");
  return readFileSync(join(root, "frame.html"), "utf8").replace(PLACE, () => script);
}

export function messageFrame(root: string, folder: string): Plugin {
  return {
    name: "message-frame",
    configureServer(server) {
      server.middlewares.use("/frame.html", (_, response) => {
        void page(root).then((text) => {
          response.setHeader("Content-Type", "text/html; charset=utf-8");
          response.end(text);
        });
      });
    },
    async writeBundle() {
      writeFileSync(join(folder, "frame.html"), await page(root));
    },
  };
}
