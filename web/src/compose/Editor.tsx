import { Editor as TipTap } from "@tiptap/core";
import { type RefObject, useEffect, useRef } from "react";
import { simple } from "./clean.ts";
import type { Composing } from "./composing.ts";
import style from "./Editor.module.css";
import { extensions } from "./schema.ts";

export interface EditorProps {
  one: Composing;
  label: string;
  /** Where the editor is once it is there. */
  made: (editor: TipTap | undefined) => void;
  /** Files that were pasted or dropped on the text: pictures go into it, the rest beside it. */
  attach: (files: readonly File[]) => void;
  /** The files of pictures that are to stand in the text; their Content-IDs, without those that do not fit. */
  picture: (files: readonly File[]) => readonly { cid: string; alt: string }[];
  focused: boolean;
}

const PICTURE = /^image\/(?:png|jpe?g|gif|webp)$/;

export function Editor({ one, label, made, attach, picture, focused }: EditorProps) {
  const holder = useRef<HTMLDivElement>(null);
  const calls = useLatest({ made, attach, picture });

  // biome-ignore lint/correctness/useExhaustiveDependencies: one editor for one draft
  useEffect(() => {
    if (!holder.current) return;

    const put = (files: readonly File[], at?: number) => {
      const pictures = files.filter(({ type }) => PICTURE.test(type));
      const rest = files.filter((file) => !pictures.includes(file));
      if (rest.length) calls.current.attach(rest);
      const nodes = calls.current
        .picture(pictures)
        .map((attrs) => ({ type: "picture", attrs: { ...attrs } }));
      if (!nodes.length) return;
      if (at === undefined) editor.chain().focus().insertContent(nodes).run();
      else editor.chain().focus().insertContentAt(at, nodes).run();
    };

    const editor: TipTap = new TipTap({
      element: holder.current,
      injectCSS: false,
      extensions: extensions((cid) => one.files.urlOf(cid)),
      content: one.draft.doc as never,
      editorProps: {
        attributes: {
          role: "textbox",
          "aria-multiline": "true",
          "aria-label": label,
          class: style.text ?? "",
          "data-editor": "",
        },
        transformPastedHTML: (html) =>
          simple(html, (data, alt) => {
            const file = fileOf(data, alt);
            return (file && calls.current.picture([file])[0]?.cid) || "";
          }),
        handlePaste: (_, event) => {
          const { files = [], types = [] } = event.clipboardData ?? {};
          // Programs that copy a table add a picture of it: the text is what is meant.
          if (!files.length || types.includes("text/html")) return false;
          put([...files]);
          return true;
        },
        handleDrop: (view, event, _, moved) => {
          const files = [...(event.dataTransfer?.files ?? [])];
          if (moved || !files.length) return false;
          event.preventDefault();
          put(files, view.posAtCoords({ left: event.clientX, top: event.clientY })?.pos);
          return true;
        },
      },
      onUpdate: ({ editor: now }) => one.change({ doc: now.getJSON() as never }),
    });
    calls.current.made(editor);
    if (focused) editor.commands.focus("start");
    const refilled = one.refilled.subscribe(() => {
      editor.commands.setContent(one.draft.doc as never, { emitUpdate: false });
    });
    return () => {
      refilled();
      calls.current.made(undefined);
      editor.destroy();
    };
  }, [one]);

  return <div ref={holder} className={style.holder} />;
}

function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  latest.current = value;
  return latest;
}

/** A picture that a text had within itself. */
function fileOf(data: string, alt: string): File | undefined {
  const [, type, base64] = /^data:(image\/[a-z]+);base64,([\sA-Za-z0-9+/=]+)$/.exec(data) ?? [];
  if (!type || !base64) return undefined;
  try {
    const octets = Uint8Array.from(atob(base64.replace(/\s/g, "")), (one) => one.charCodeAt(0));
    return new File([octets], alt.trim().slice(0, 60) || `picture.${type.slice(6)}`, { type });
  } catch {
    return undefined;
  }
}
