import { useLingui } from "@lingui/react/macro";
import { Copy, CornerUpRight, Pencil, TriangleAlert, X } from "lucide-react";
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  type ReactNode,
  useId,
  useRef,
  useState,
} from "react";
import { Button } from "react-aria-components";
import type { Address } from "../jmap/index.ts";
import { Avatar, classes, Menu, MenuItem } from "../ui/index.ts";
import { isAddress, parseAddresses, personName, unique, written } from "./addresses.ts";
import type { Completion } from "./completion.ts";
import style from "./RecipientField.module.css";

export type FieldName = "to" | "cc" | "bcc";
/** How one is carried from field to field. */
const CARRIED = "application/x-malleposte-recipient";
const ASKED = 140;

export interface RecipientFieldProps {
  name: FieldName;
  label: string;
  people: readonly Address[];
  /** Of all fields: nobody is offered twice. */
  taken: ReadonlySet<string>;
  completion: Completion;
  /** Where else one can be moved to, by name. */
  others: readonly { readonly name: FieldName; readonly label: string }[];
  change: (people: readonly Address[]) => void;
  move: (person: Address, from: FieldName, to: FieldName) => void;
  /** Beside the field, at its end. */
  children?: ReactNode;
}

/** People as chips, and a line in which more are typed. */
export function RecipientField(props: RecipientFieldProps) {
  const { name, label, people, completion, taken, others, change, move, children } = props;
  const { t } = useLingui();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const chips = useRef<HTMLUListElement>(null);
  const [typed, setTyped] = useState("");
  const [offered, setOffered] = useState<readonly Address[]>([]);
  const [active, setActive] = useState(0);
  const [over, setOver] = useState(false);
  const asking = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const latest = useRef("");

  function type(text: string): void {
    setTyped(text);
    latest.current = text;
    clearTimeout(asking.current);
    setActive(0);
    setOffered(text.trim() ? completion.known(text, taken) : []);
    if (!text.trim()) return;
    asking.current = setTimeout(async () => {
      const all = await completion.all(text, taken);
      if (latest.current === text) setOffered(all);
    }, ASKED);
  }

  function add(more: readonly Address[]): void {
    type("");
    if (more.length) change(unique([...people, ...more]));
  }

  const commit = () => {
    if (typed.trim()) add(parseAddresses(typed));
  };

  function remove(index: number, then: "input" | "chip"): void {
    change(people.filter((_, n) => n !== index));
    const next = index > 0 ? index - 1 : 0;
    requestAnimationFrame(() => {
      if (then === "chip" && people.length > 1) chipAt(next)?.focus();
      else input.current?.focus();
    });
  }

  const chipAt = (index: number) =>
    chips.current?.children[index]?.querySelector<HTMLButtonElement>("button");

  function key(event: KeyboardEvent<HTMLInputElement>): void {
    const chosen = offered[active];
    const open = offered.length > 0;
    switch (event.key) {
      case "ArrowDown":
      case "ArrowUp":
        if (!open) return;
        setActive(
          (active + (event.key === "ArrowDown" ? 1 : -1) + offered.length) % offered.length,
        );
        break;
      case "Enter":
        if (event.ctrlKey || event.metaKey) {
          commit();
          return;
        }
        if (chosen) add([chosen]);
        else commit();
        break;
      case "Tab":
        if (!typed.trim() || event.shiftKey) return;
        if (chosen) add([chosen]);
        else commit();
        break;
      case ",":
      case ";":
        // A comma may belong to a name in quotes.
        if (!typed.trim() || (typed.match(/"/g)?.length ?? 0) % 2) return;
        if (chosen && !isAddress(typed.trim())) add([chosen]);
        else commit();
        break;
      case " ":
        if (!isAddress(typed.trim())) return;
        commit();
        break;
      case "Escape":
        if (!open) return;
        setOffered([]);
        break;
      case "Backspace":
      case "ArrowLeft":
        if (event.currentTarget.selectionStart || event.currentTarget.selectionEnd) return;
        if (!people.length) return;
        chipAt(people.length - 1)?.focus();
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  function pasted(event: ClipboardEvent): void {
    const text = event.clipboardData.getData("text/plain");
    if (typed.trim() || !(/[,;\n]/.test(text) || /@/.test(text))) return;
    event.preventDefault();
    add(parseAddresses(text));
  }

  function dropped(event: DragEvent): void {
    setOver(false);
    const carried = event.dataTransfer.getData(CARRIED);
    if (!carried) return;
    event.preventDefault();
    event.stopPropagation();
    const { person, from } = JSON.parse(carried) as { person: Address; from: FieldName };
    if (from !== name) move(person, from, name);
  }

  const list = `${id}-list`;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: chips can be dropped anywhere on it; each has a menu that does the same
    <div
      className={classes(style.field, over && style.over)}
      onDragOver={(event) => {
        if (!event.dataTransfer.types.includes(CARRIED)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <label className={style.label} htmlFor={`${id}-input`}>
        {label}
      </label>
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: a press beside the chips is meant for the line */}
      <div
        className={style.line}
        onClick={(event) => event.target === event.currentTarget && input.current?.focus()}
      >
        {people.length ? (
          <ul ref={chips} className={style.chips} aria-label={label}>
            {people.map((person, n) => (
              <Person
                key={person.email}
                person={person}
                name={name}
                others={others}
                edit={() => {
                  remove(n, "input");
                  type(written(person));
                }}
                remove={(then) => remove(n, then)}
                move={(to) => move(person, name, to)}
                step={(by) => {
                  const next = chipAt(n + by);
                  if (next) next.focus();
                  else if (by > 0) input.current?.focus();
                }}
              />
            ))}
          </ul>
        ) : null}
        <span className={style.typing}>
          <input
            ref={input}
            id={`${id}-input`}
            data-field={name}
            className={style.input}
            value={typed}
            role="combobox"
            aria-autocomplete="list"
            aria-expanded={offered.length > 0}
            aria-controls={list}
            aria-activedescendant={offered.length ? `${list}-${active}` : undefined}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            inputMode="email"
            enterKeyHint="next"
            onChange={(event) => type(event.target.value)}
            onKeyDown={key}
            onPaste={pasted}
            onBlur={commit}
          />
          <div
            id={list}
            role="listbox"
            className={style.offers}
            aria-label={t`Suggestions`}
            hidden={!offered.length}
          >
            {offered.map((person, n) => (
              // biome-ignore lint/a11y/useFocusableInteractive: as above
              // biome-ignore lint/a11y/useKeyWithClickEvents: keys go to the line
              <div
                key={person.email}
                id={`${list}-${n}`}
                role="option"
                aria-selected={n === active}
                className={style.offer}
                onMouseDown={(event) => event.preventDefault()}
                onMouseMove={() => n === active || setActive(n)}
                onClick={() => add([person])}
              >
                <Avatar name={personName(person)} email={person.email} size="s" />
                <span className={style.offerName}>{personName(person)}</span>
                {person.name ? <span className={style.offerEmail}>{person.email}</span> : null}
              </div>
            ))}
          </div>
        </span>
      </div>
      {children}
    </div>
  );
}

interface PersonProps {
  person: Address;
  name: FieldName;
  others: RecipientFieldProps["others"];
  edit: () => void;
  remove: (then: "input" | "chip") => void;
  move: (to: FieldName) => void;
  step: (by: 1 | -1) => void;
}

function Person({ person, name, others, edit, remove, move, step }: PersonProps) {
  const { t } = useLingui();
  const good = isAddress(person.email);
  const shown = personName(person);
  return (
    <li
      className={style.item}
      onDragStart={(event) => {
        event.dataTransfer.setData(CARRIED, JSON.stringify({ person, from: name }));
        event.dataTransfer.setData("text/plain", written(person));
        event.dataTransfer.effectAllowed = "move";
      }}
    >
      <Menu
        label={shown}
        trigger={
          <Button
            ref={(element) => {
              if (element) element.draggable = true;
            }}
            className={classes(style.chip, !good && style.bad)}
            aria-label={good ? written(person) : t`${shown}: this is no mail address`}
            onKeyDown={(event) => {
              if (event.key === "Backspace" || event.key === "Delete") remove("chip");
              else if (event.key === "ArrowLeft") step(-1);
              else if (event.key === "ArrowRight") step(1);
              else event.continuePropagation();
            }}
          >
            {good ? null : <TriangleAlert size={13} aria-hidden />}
            <span className={style.chipName}>{shown}</span>
          </Button>
        }
      >
        <MenuItem icon={Pencil} onAction={edit}>{t`Edit`}</MenuItem>
        <MenuItem
          icon={Copy}
          onAction={() => void navigator.clipboard?.writeText(person.email)}
        >{t`Copy the address`}</MenuItem>
        {others.map((other) => (
          <MenuItem key={other.name} icon={CornerUpRight} onAction={() => move(other.name)}>
            {t`Move to ${other.label}`}
          </MenuItem>
        ))}
        <MenuItem icon={X} onAction={() => remove("input")}>{t`Remove`}</MenuItem>
      </Menu>
    </li>
  );
}
