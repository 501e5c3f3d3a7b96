/** Has the page fetch its font beside its script, so that text is laid out once. */
import type { Plugin } from "vite";

export function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle }) {
        const font = Object.keys(bundle ?? {}).find((name) => /inter-latin-wght-normal/.test(name));
        if (!font) throw new Error("there is no font of the page");
        const attrs = {
          rel: "preload",
          as: "font",
          type: "font/woff2",
          crossorigin: true,
          href: `/${font}`,
        };
        return [{ tag: "link", attrs, injectTo: "head" as const }];
      },
    },
  };
}
