import { useLingui } from "@lingui/react/macro";
import { type Extensions, getSchema } from "@tiptap/core";
import { DOMParser as Reader } from "@tiptap/pm/model";
import { EditorContent, useEditor, useEditorState } from "@tiptap/react";
import { StarterKit } from "@tiptap/starter-kit";
import DOMPurify from "dompurify";
import { Bold, Italic, Link, List, type LucideIcon, Unlink } from "lucide-react";
import { useId, useState } from "react";
import { Button, IconButton, TextField } from "../../ui/index.ts";
import style from "./Signature.module.css";

export interface SignatureEditorProps {
  html: string;
  /** What is shown where there is no HTML yet. */
  text: string;
  change: (html: string, text: string) => void;
}

const EXTENSIONS: Extensions = [
  StarterKit.configure({
    heading: false,
    code: false,
    codeBlock: false,
    blockquote: false,
    horizontalRule: false,
    trailingNode: false,
    link: { openOnClick: false, defaultProtocol: "https" },
  }),
];

/** What was kept, without anything that it may not hold, and never as markup of this page. */
function begun(html: string, text: string) {
  if (!html.trim()) {
    const lines = text.trim() ? text.trim().split(/\r?\n/) : [""];
    const content = lines.map((line) => ({
      type: "paragraph",
      ...(line ? { content: [{ type: "text", text: line }] } : {}),
    }));
    return { type: "doc", content };
  }
  const fragment = DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true },
    FORBID_TAGS: ["style", "img", "form", "input", "button"],
    RETURN_DOM_FRAGMENT: true,
  });
  return Reader.fromSchema(getSchema(EXTENSIONS)).parse(fragment).toJSON();
}

/** A signature in rich text: the same editor as for messages, with less in it. */
export function SignatureEditor({ html, text, change }: SignatureEditorProps) {
  const { t } = useLingui();
  const id = useId();
  const [linking, setLinking] = useState<string>();
  const editor = useEditor({
    extensions: EXTENSIONS,
    content: begun(html, text),
    injectCSS: false,
    editorProps: {
      attributes: {
        class: style.text ?? "",
        role: "textbox",
        "aria-multiline": "true",
        "aria-labelledby": id,
      },
    },
    onUpdate: ({ editor: now }) => {
      const plain = now.getText({ blockSeparator: "\n" });
      change(plain.trim() ? now.getHTML() : "", plain.trim() ? plain : "");
    },
  });
  const on = useEditorState({
    editor,
    selector: ({ editor: now }) => ({
      bold: now.isActive("bold"),
      italic: now.isActive("italic"),
      list: now.isActive("bulletList"),
      link: now.isActive("link"),
    }),
  });

  function link(): void {
    const to = (linking ?? "").trim();
    setLinking(undefined);
    if (!/^(?:https?:\/\/|mailto:)./i.test(to)) return;
    const chain = editor.chain().focus();
    if (editor.state.selection.empty) {
      const marks = [{ type: "link", attrs: { href: to } }];
      chain.insertContent({ type: "text", text: to, marks }).run();
    } else chain.extendMarkRange("link").setLink({ href: to }).run();
  }

  const tools: readonly [LucideIcon, string, boolean, () => void][] = [
    [Bold, t`Bold`, on.bold, () => editor.chain().focus().toggleBold().run()],
    [Italic, t`Italic`, on.italic, () => editor.chain().focus().toggleItalic().run()],
    [List, t`List`, on.list, () => editor.chain().focus().toggleBulletList().run()],
    on.link
      ? [Unlink, t`Remove the link`, false, () => editor.chain().focus().unsetLink().run()]
      : [Link, t`Link`, linking !== undefined, () => setLinking("https://")],
  ];
  return (
    <div className={style.signature}>
      <span id={id} className={style.label}>
        {t`Signature`}
      </span>
      <div className={style.box}>
        <div className={style.tools} role="toolbar" aria-label={t`Signature`}>
          {tools.map(([icon, label, pressed, run]) => (
            <IconButton key={label} icon={icon} label={label} pressed={pressed} onPress={run} />
          ))}
        </div>
        {linking === undefined ? null : (
          <div className={style.link}>
            <TextField
              aria-label={t`Address of the link`}
              label=""
              value={linking}
              onChange={setLinking}
              autoFocus
              onKeyDown={(event) => {
                // Not of the form around it.
                if (event.key === "Enter") {
                  event.preventDefault();
                  link();
                } else if (event.key === "Escape") {
                  event.stopPropagation();
                  setLinking(undefined);
                }
              }}
            />
            <Button onPress={link}>{t`Set the link`}</Button>
          </div>
        )}
        <EditorContent editor={editor} />
      </div>
    </div>
  );
}
