import { useLingui } from "@lingui/react/macro";
import { Ellipsis, Pencil, Plus, Trash2 } from "lucide-react";
import { type DragEvent, type MouseEvent, type ReactNode, useState } from "react";
import { Button } from "react-aria-components";
import type { MailLabel } from "../../jmap/index.ts";
import { addressOf, go } from "../../route/index.ts";
import { IconButton, LabelSign, Menu, MenuItem, toasts } from "../../ui/index.ts";
import style from "../Sidebar.module.css";
import { labelPlace } from "../view.ts";
import { drop, isRows, type Target } from "./dropping.ts";
import { LabelDialog } from "./LabelDialog.tsx";
import { useLabels } from "./labels.ts";
import { useAttempt } from "./useAttempt.ts";

/** The labels of the sidebar. `left`: told after one was chosen. */
export function LabelItems({
  current,
  left,
}: {
  current: string;
  left?: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const labels = useLabels();
  const [making, setMaking] = useState(false);
  return (
    <>
      <Heading words={t`Labels`} action={t`New label`} run={() => setMaking(true)} />
      <ul className={style.list}>
        {labels.all.map((label) => (
          <Item key={label.id} label={label} here={current === labelPlace(label.id)} left={left} />
        ))}
      </ul>
      {making ? <LabelDialog close={() => setMaking(false)} /> : null}
    </>
  );
}

/** A heading of the sidebar, and how another one is made. */
export function Heading({
  words,
  action,
  run,
}: {
  words: ReactNode;
  action: string;
  run: () => void;
}) {
  return (
    <div className={style.heading}>
      <h2 className={style.title}>{words}</h2>
      <IconButton icon={Plus} label={action} onPress={run} />
    </div>
  );
}

function Item({
  label,
  here,
  left,
}: {
  label: MailLabel;
  here: boolean;
  left?: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const labels = useLabels();
  const [open, turn] = useState(false);
  const [changing, setChanging] = useState(false);
  const [, run] = useAttempt();
  const place = { at: "mail", mailbox: labelPlace(label.id) } as const;

  function chosen(event: MouseEvent): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    go(place);
    left?.();
  }

  async function remove(): Promise<void> {
    if (!(await run(() => labels.remove(label.id)))) return;
    toasts.show(t`The label “${label.name}” was removed. Messages stay where they are.`, {
      words: t`Undo`,
      run: () => void run(() => labels.create(label.name, label.colour, label.id)),
    });
  }

  return (
    <li
      className={style.own}
      data-menu={open || undefined}
      onContextMenu={(event) => {
        event.preventDefault();
        turn(true);
      }}
    >
      <a
        href={addressOf(place)}
        aria-current={here ? "page" : undefined}
        className={style.item}
        onClick={chosen}
        {...droppable({ label })}
      >
        <LabelSign colour={label.colour} />
        <span className={style.name}>{label.name}</span>
      </a>
      <Menu
        label={t`Label ${label.name}`}
        open={open}
        turn={turn}
        trigger={
          <Button className={style.more ?? ""} aria-label={t`What to do with ${label.name}`}>
            <Ellipsis size={16} aria-hidden />
          </Button>
        }
      >
        <MenuItem icon={Pencil} onAction={() => setChanging(true)}>
          {t`Name and colour`}
        </MenuItem>
        <MenuItem icon={Trash2} tone="danger" onAction={() => void remove()}>
          {t`Remove the label`}
        </MenuItem>
      </Menu>
      {changing ? <LabelDialog label={label} close={() => setChanging(false)} /> : null}
    </li>
  );
}

/** What makes something take messages that are dragged onto it. */
export function droppable(target: Target) {
  const mark = (event: DragEvent, on: boolean) => {
    if (on) event.currentTarget.setAttribute("data-over", "");
    else event.currentTarget.removeAttribute("data-over");
  };
  return {
    onDragOver(event: DragEvent) {
      if (!isRows(event.dataTransfer)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      mark(event, true);
    },
    onDragLeave: (event: DragEvent) => mark(event, false),
    onDrop(event: DragEvent) {
      if (!isRows(event.dataTransfer)) return;
      event.preventDefault();
      mark(event, false);
      drop(event.dataTransfer, target);
    },
  };
}
