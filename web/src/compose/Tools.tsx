import { useLingui } from "@lingui/react/macro";
import type { Editor } from "@tiptap/core";
import {
  Bold,
  Circle,
  Italic,
  Link,
  List,
  ListOrdered,
  Palette,
  RemoveFormatting,
  Strikethrough,
  TextQuote,
  Underline,
} from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Dialog, DialogTrigger, Popover, Toolbar } from "react-aria-components";
import { Button, IconButton, Menu, MenuItem } from "../ui/index.ts";
import { DOTS } from "./Dots.tsx";
import { COLOURS, type Colour } from "./doc.ts";
import style from "./Tools.module.css";

/** How the text looks. */
export function Tools({ editor }: { editor: Editor }) {
  const { t } = useLingui();
  const [, drawn] = useState(0);
  useEffect(() => {
    const heard = () => drawn((n) => n + 1);
    editor.on("transaction", heard);
    return () => {
      editor.off("transaction", heard);
    };
  }, [editor]);

  const on = (name: string) => editor.isActive(name);
  const run = () => editor.chain().focus();
  const colours: Readonly<Record<Colour, string>> = {
    red: t`Red`,
    orange: t`Orange`,
    green: t`Green`,
    blue: t`Blue`,
    purple: t`Purple`,
    grey: t`Grey`,
  };
  return (
    <Toolbar aria-label={t`How the text looks`} className={style.tools ?? ""}>
      <IconButton
        icon={Bold}
        label={t`Bold`}
        shortcut="Ctrl B"
        pressed={on("bold")}
        onPress={() => run().toggleBold().run()}
      />
      <IconButton
        icon={Italic}
        label={t`Italic`}
        shortcut="Ctrl I"
        pressed={on("italic")}
        onPress={() => run().toggleItalic().run()}
      />
      <IconButton
        icon={Underline}
        label={t`Underlined`}
        shortcut="Ctrl U"
        pressed={on("underline")}
        onPress={() => run().toggleUnderline().run()}
      />
      <IconButton
        icon={Strikethrough}
        label={t`Struck out`}
        pressed={on("strike")}
        onPress={() => run().toggleStrike().run()}
      />
      <Menu label={t`Colour`} trigger={<IconButton icon={Palette} label={t`Colour`} />}>
        {[
          <MenuItem key="none" icon={Circle} onAction={() => run().unsetMark("colour").run()}>
            {t`As the rest`}
          </MenuItem>,
          ...Object.keys(COLOURS).map((name) => (
            <MenuItem
              key={name}
              icon={DOTS[name as Colour]}
              onAction={() => run().setMark("colour", { name }).run()}
            >
              {colours[name as Colour]}
            </MenuItem>
          )),
        ]}
      </Menu>
      <span className={style.gap} />
      <IconButton
        icon={List}
        label={t`List`}
        pressed={on("bulletList")}
        onPress={() => run().toggleBulletList().run()}
      />
      <IconButton
        icon={ListOrdered}
        label={t`Numbered list`}
        pressed={on("orderedList")}
        onPress={() => run().toggleOrderedList().run()}
      />
      <IconButton
        icon={TextQuote}
        label={t`Quotation`}
        pressed={on("blockquote")}
        onPress={() => run().toggleBlockquote().run()}
      />
      <LinkTool editor={editor} />
      <IconButton
        icon={RemoveFormatting}
        label={t`As plain text`}
        onPress={() => run().unsetAllMarks().clearNodes().run()}
      />
    </Toolbar>
  );
}

function LinkTool({ editor }: { editor: Editor }) {
  const { t } = useLingui();
  const [open, setOpen] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const current = String(editor.getAttributes("link").href ?? "");

  function apply(event: FormEvent): void {
    event.preventDefault();
    const typed = field.current?.value.trim() ?? "";
    setOpen(false);
    const chain = editor.chain().focus().extendMarkRange("link");
    if (!typed) {
      chain.unsetLink().run();
      return;
    }
    const href = /^[a-z][a-z0-9+.-]*:/i.test(typed)
      ? typed
      : typed.includes("@")
        ? `mailto:${typed}`
        : `https://${typed}`;
    if (editor.state.selection.empty && !current) {
      const marks = [{ type: "link", attrs: { href } }];
      chain.insertContent({ type: "text", text: typed, marks }).run();
    } else chain.setLink({ href }).run();
  }

  return (
    <DialogTrigger isOpen={open} onOpenChange={setOpen}>
      <IconButton icon={Link} label={t`Link`} shortcut="Ctrl K" pressed={Boolean(current)} />
      <Popover className={style.popover ?? ""} placement="top">
        <Dialog aria-label={t`Link`} className={style.dialog ?? ""}>
          <form className={style.link} onSubmit={apply}>
            <input
              ref={field}
              className={style.address}
              aria-label={t`Where it leads`}
              placeholder="https://"
              defaultValue={current}
              autoFocus
              spellCheck={false}
            />
            <Button type="submit" kind="primary">
              {t`Set`}
            </Button>
          </form>
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}
