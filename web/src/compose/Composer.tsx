import { useLingui } from "@lingui/react/macro";
import type { Editor as TipTap } from "@tiptap/core";
import { type DragEvent, type KeyboardEvent, useEffect, useRef, useState } from "react";
import { fileSize } from "../i18n/index.ts";
import { classes } from "../ui/index.ts";
import { Attachments } from "./Attachments.tsx";
import style from "./Composer.module.css";
import { type Question, question } from "./checks.ts";
import type { Composing } from "./composing.ts";
import type { Desk } from "./desk.ts";
import { docOfText, type Node, paragraphs, textOf } from "./doc.ts";
import { Editor } from "./Editor.tsx";
import { Fields } from "./Fields.tsx";
import { Foot } from "./Foot.tsx";
import { Head } from "./Head.tsx";
import { Asked, Quotation, Told } from "./Notes.tsx";
import { quoteText } from "./quoting.ts";
import type { FieldName } from "./RecipientField.tsx";
import { docOf } from "./schema.ts";
import { Tools } from "./Tools.tsx";
import { useIdentities, usePhone, useSignal } from "./use.ts";

/** One message that is being written. */
export function Composer({ desk, one }: { desk: Desk; one: Composing }) {
  const { t } = useLingui();
  useSignal(one);
  const { draft, place } = one;
  const phone = usePhone();
  const identities = useIdentities(desk);
  const root = useRef<HTMLElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const allowed = useRef(new Set<Question>());
  const [editor, setEditor] = useState<TipTap>();
  const [shown, setShown] = useState<ReadonlySet<FieldName>>(new Set());
  const [asked, setAsked] = useState<{ question: Question; at: Date | undefined }>();
  const [over, setOver] = useState("");
  const [tools, setTools] = useState(!phone);
  const [dropping, setDropping] = useState(false);
  const title =
    draft.subject.trim() ||
    (draft.mode === "reply" ? t`Reply` : draft.mode === "forward" ? t`Forward` : t`New message`);
  const writes = draft.mode === "reply" || draft.to.length > 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it is opened
  useEffect(() => {
    if (!writes) focus(root.current, "to");
    if (place !== "inline") return;
    // Once the editor is in it, and it is as high as it will be.
    const timer = setTimeout(() => root.current?.scrollIntoView({ block: "nearest" }), 60);
    return () => clearTimeout(timer);
  }, []);

  function show(name: FieldName): void {
    setShown(new Set([...shown, name]));
    requestAnimationFrame(() => focus(root.current, name));
  }

  function send(at?: Date): void {
    // What is typed in a field and not yet a chip becomes one.
    if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
    requestAnimationFrame(() => {
      const next = question(one.draft, allowed.current);
      if (!next) {
        setAsked(undefined);
        void desk.send(one, at);
        return;
      }
      setAsked({ question: next, at });
      if (next === "nobody" || next === "invalid") focus(root.current, "to");
    });
  }

  function answered(yes: boolean): void {
    if (!asked) return;
    setAsked(undefined);
    if (yes) {
      allowed.current.add(asked.question);
      send(asked.at);
    } else if (asked.question === "attachment") picker.current?.click();
    else focus(root.current, asked.question === "subject" ? "subject" : "to");
  }

  function attach(files: readonly File[], cid: string | null = null): boolean {
    const refused = one.files.add(files, cid);
    setAsked(undefined);
    setOver(
      refused.length
        ? t`${refused.map(({ name }) => name).join(", ")}: a message holds ${fileSize(one.files.most)} of attachments at most, all together.`
        : "",
    );
    return !refused.length;
  }

  function picture(files: readonly File[]): { cid: string; alt: string }[] {
    return files
      .map((file) => ({ file, cid: `${crypto.randomUUID()}@picture`, alt: file.name }))
      .filter(({ file, cid }) => attach([file], cid))
      .map(({ cid, alt }) => ({ cid, alt }));
  }

  /** The quotation becomes text like any other. */
  function unfold(): void {
    const { quote } = one.draft;
    if (!quote) return;
    if (!one.draft.rich) {
      one.change({ text: `${one.draft.text.trimEnd()}\n\n${quoteText(quote)}`, quote: null });
      return;
    }
    const within = docOf(quote.html).content ?? [];
    const more: Node[] = [
      { type: "paragraph" },
      ...paragraphs(quote.intro),
      ...(quote.kind === "reply" ? [{ type: "blockquote", content: within }] : within),
    ];
    const doc = { type: "doc", content: [...(one.draft.doc.content ?? []), ...more] };
    one.change({ doc, quote: null });
    one.refill();
  }

  function turn(rich: boolean): void {
    desk.rich = rich;
    const { doc, text } = one.draft;
    one.change(rich ? { rich, doc: docOfText(text) } : { rich, text: textOf(doc) });
  }

  /** Before whatever has the focus has a say. */
  function command(event: KeyboardEvent): void {
    if (!event.ctrlKey && !event.metaKey) return;
    // What is open above it, a menu or a dialog, has keys of its own.
    if (!root.current?.contains(event.target as Element)) return;
    const pressed = event.key.toLowerCase();
    if (pressed === "enter") send();
    else if (event.shiftKey && pressed === "c") show("cc");
    else if (event.shiftKey && pressed === "b") show("bcc");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function leave(event: KeyboardEvent): void {
    // The editor prevents what a browser would do by itself, and does nothing.
    const editing = (event.target as Element).closest("[data-editor]");
    if (event.key !== "Escape" || (event.defaultPrevented && !editing)) return;
    if (!root.current?.contains(event.target as Element)) return;
    event.preventDefault();
    void desk.close(one);
  }

  function dropped(event: DragEvent): void {
    setDropping(false);
    const files = [...event.dataTransfer.files];
    if (event.defaultPrevented || !files.length) return;
    event.preventDefault();
    attach(files);
  }

  return (
    <section
      ref={root}
      className={classes(style.composer, dropping && style.dropping)}
      data-place={place}
      data-composer={one.key}
      aria-label={title}
      onKeyDownCapture={command}
      onKeyDown={leave}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setDropping(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Element | null))
          setDropping(false);
      }}
      onDrop={dropped}
    >
      <Head
        desk={desk}
        one={one}
        title={title}
        phone={phone}
        attach={() => picker.current?.click()}
      />
      <div className={style.page}>
        <Fields
          desk={desk}
          one={one}
          identities={identities}
          shown={shown}
          show={show}
          subject={draft.mode !== "reply" || place !== "inline"}
        />
        <div className={style.paper}>
          {draft.rich ? (
            <Editor
              one={one}
              label={t`Message`}
              made={setEditor}
              attach={attach}
              picture={picture}
              focused={writes}
            />
          ) : (
            <textarea
              className={style.plain}
              aria-label={t`Message`}
              value={draft.text}
              // biome-ignore lint/a11y/noAutofocus: it was opened to be written in
              autoFocus={writes}
              onChange={(event) => one.change({ text: event.target.value })}
            />
          )}
        </div>
        {draft.quote ? (
          <Quotation
            quote={draft.quote}
            unfold={unfold}
            remove={() => one.change({ quote: null })}
          />
        ) : null}
        <Attachments one={one} />
      </div>
      <Told one={one} over={over} />
      {asked && question(draft, allowed.current) === asked.question ? (
        <Asked question={asked.question} answered={answered} />
      ) : null}
      {tools && draft.rich && editor ? <Tools editor={editor} /> : null}
      <Foot
        desk={desk}
        one={one}
        send={send}
        phone={phone}
        attach={() => picker.current?.click()}
        tools={tools}
        setTools={setTools}
        turn={turn}
      />
      <input
        ref={picker}
        type="file"
        multiple
        hidden
        aria-label={t`Attach files`}
        onChange={(event) => {
          attach([...(event.target.files ?? [])]);
          event.target.value = "";
          // Back to where one writes: what was pressed may be gone.
          root.current?.querySelector<HTMLElement>("[data-editor],textarea")?.focus();
        }}
      />
    </section>
  );
}

function focus(root: HTMLElement | null, name: string): void {
  root?.querySelector<HTMLInputElement>(`[data-field="${name}"]`)?.focus();
}
