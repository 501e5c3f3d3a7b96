/** Has the page fetch what mail is made of at once, beside its first script and not after it. */
import type { Plugin } from "vite";

export function preloadMail(): Plugin {
  return {
    name: "preload-mail",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(html, { bundle }) {
        const chunks = Object.values(bundle ?? {}).filter((one) => one.type === "chunk");
        const mail = chunks.find(({ facadeModuleId }) =>
          /\/src\/mail\/index\.ts$/.test(facadeModuleId ?? ""),
        );
        if (!mail) throw new Error("there is no piece of the mail");
        const names = [mail.fileName, ...mail.imports].filter((name) => !html.includes(name));
        return names.map((name) => ({
          tag: "link",
          attrs: { rel: "modulepreload", crossorigin: true, href: `/${name}` },
          injectTo: "head" as const,
        }));
      },
    },
  };
}
