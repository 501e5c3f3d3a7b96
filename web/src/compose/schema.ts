/** What the editor knows: paragraphs, lists, quotations, pictures, a signature; bold, italic, underlined, struck
    out, coloured, linked. All of it has its counterpart in `doc.ts`. */
import { type Extensions, getSchema, Mark, mergeAttributes, Node } from "@tiptap/core";
import { DOMParser as Reader } from "@tiptap/pm/model";
import { StarterKit } from "@tiptap/starter-kit";
import { simpleFragment } from "./clean.ts";
import type { Node as Doc } from "./doc.ts";

const Colour = Mark.create({
  name: "colour",
  addAttributes: () => ({
    name: {
      default: null,
      parseHTML: (element: HTMLElement) => element.getAttribute("data-colour"),
      renderHTML: ({ name }: { name?: string }) => ({ "data-colour": name }),
    },
  }),
  parseHTML: () => [{ tag: "span[data-colour]" }],
  renderHTML: ({ HTMLAttributes }) => ["span", HTMLAttributes, 0],
});

const Signature = Node.create({
  name: "signature",
  group: "block",
  content: "block+",
  defining: true,
  parseHTML: () => [{ tag: "div[data-signature]" }],
  renderHTML: () => ["div", { "data-signature": "" }, 0],
});

/** `urlOf`: where a picture is shown from, by its Content-ID. */
const Picture = Node.create<{ urlOf: (cid: string) => string }>({
  name: "picture",
  group: "inline",
  inline: true,
  atom: true,
  draggable: true,
  addOptions: () => ({ urlOf: () => "" }),
  addAttributes: () => ({
    cid: {
      default: "",
      parseHTML: (element: HTMLElement) => element.getAttribute("src")?.replace(/^cid:/i, "") ?? "",
      renderHTML: ({ cid }: { cid?: string }) => ({ src: `cid:${cid}` }),
    },
    alt: { default: "" },
  }),
  parseHTML: () => [{ tag: 'img[src^="cid:"]' }],
  renderHTML: ({ HTMLAttributes }) => ["img", mergeAttributes(HTMLAttributes)],
  addNodeView() {
    return ({ node }) => {
      const dom = document.createElement("img");
      dom.src = this.options.urlOf(String(node.attrs.cid));
      dom.alt = String(node.attrs.alt);
      dom.dataset.cid = String(node.attrs.cid);
      return { dom };
    };
  },
});

export function extensions(urlOf: (cid: string) => string): Extensions {
  return [
    StarterKit.configure({
      heading: false,
      code: false,
      codeBlock: false,
      trailingNode: false,
      link: {
        openOnClick: false,
        autolink: true,
        linkOnPaste: true,
        defaultProtocol: "https",
        HTMLAttributes: { target: null, rel: null, class: null },
      },
    }),
    Colour,
    Signature,
    Picture.configure({ urlOf }),
  ];
}

let known: ReturnType<typeof getSchema> | undefined;

/** HTML as the editor would hold it. */
export function docOf(html: string): Doc {
  known ??= getSchema(extensions(() => ""));
  // Our own signatures, by a name that sanitising leaves.
  const marked = html.replaceAll('<div class="malleposte-signature">', "<div data-signature>");
  const fragment = simpleFragment(marked);
  return Reader.fromSchema(known).parse(fragment).toJSON() as Doc;
}
