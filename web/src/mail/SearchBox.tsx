import { Trans, useLingui } from "@lingui/react/macro";
import { Clock, Search, X } from "lucide-react";
import { type FormEvent, type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { useKeys } from "../keys/index.ts";
import { usePrefs } from "../prefs/index.ts";
import { go, type MailPlace } from "../route/index.ts";
import { recent, type Suggestion, suggestions } from "../search/index.ts";
import { IconButton } from "../ui/index.ts";
import { useMailboxes } from "./hooks.ts";
import { useLabels } from "./organise/labels.ts";
import style from "./SearchBox.module.css";
import { useExplained } from "./searchWords.ts";
import { knownNames } from "./view.ts";

/** Where one searches: words and operators, with what may be meant offered below. The arrow keys go through
    it, Enter takes what is chosen, or searches. */
export function SearchBox({ place }: { place: MailPlace }) {
  const { t, i18n } = useLingui();
  const mailboxes = useMailboxes();
  const labels = useLabels().all;
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const [text, setText] = useState(place.search ?? "");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const [searches, setSearches] = useState<readonly string[]>([]);
  const { shortcuts } = usePrefs();
  useKeys({ search: () => field.current?.focus() }, shortcuts);
  useEffect(() => setText(place.search ?? ""), [place.search]);

  const offered = open
    ? suggestions(text, searches, i18n.locale, knownNames(mailboxes, labels))
    : [];
  const shown = offered.length > 0;

  function type(words: string): void {
    setText(words);
    setActive(-1);
    setSearches(recent.get());
    setOpen(true);
  }

  function search(words: string): void {
    const wanted = words.trim() || undefined;
    if (wanted) recent.add(wanted);
    setText(wanted ?? "");
    setOpen(false);
    setActive(-1);
    go({ ...place, search: wanted, message: undefined });
  }

  function take(one: Suggestion): void {
    if (one.kind === "recent") search(one.text);
    else type(one.text);
  }

  function key(event: KeyboardEvent): void {
    const chosen = offered[active];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!open) type(text);
      const step = event.key === "ArrowDown" ? 1 : -1;
      const places = offered.length + 1;
      // Past the last one is the text itself again.
      setActive(((active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && chosen) take(chosen);
    else if (event.key === "Tab" && chosen && chosen.kind !== "recent") take(chosen);
    else if (event.key === "Escape" && shown) setOpen(false);
    else if (event.key === "Escape") field.current?.blur();
    else return;
    event.preventDefault();
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    search(text);
  }

  return (
    <search className={style.search}>
      <form onSubmit={submit} className={style.form} data-open={shown || undefined}>
        <Search size={17} aria-hidden className={style.sign} />
        <input
          ref={field}
          type="search"
          role="combobox"
          className={style.field}
          aria-label={t`Search mail`}
          aria-autocomplete="list"
          aria-expanded={shown}
          aria-controls={`${id}-offered`}
          aria-activedescendant={active >= 0 ? `${id}-${active}` : undefined}
          placeholder={t`Search mail`}
          enterKeyHint="search"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={text}
          onChange={(event) => type(event.target.value)}
          onFocus={() => type(text)}
          onBlur={() => setOpen(false)}
          onKeyDown={key}
        />
        {place.search ? (
          <span className={style.clear}>
            <IconButton
              icon={X}
              label={t`End the search`}
              onPress={() => go({ ...place, search: undefined, message: undefined })}
            />
          </span>
        ) : null}
        <div className={style.offered} hidden={!shown}>
          <div
            id={`${id}-offered`}
            role="listbox"
            aria-label={t`Suggestions`}
            className={style.list}
          >
            {offered.map((one, n) => (
              <Offer
                key={`${one.kind} ${one.text}`}
                id={`${id}-${n}`}
                suggestion={one}
                active={n === active}
                take={() => take(one)}
              />
            ))}
          </div>
          {searches.length && !text.trim() ? (
            <button
              type="button"
              className={style.forget}
              tabIndex={-1}
              onPointerDown={(event) => event.preventDefault()}
              onClick={() => {
                recent.forget();
                setSearches([]);
              }}
            >
              <Trans>Forget these searches</Trans>
            </button>
          ) : null}
        </div>
      </form>
    </search>
  );
}

interface OfferProps {
  id: string;
  suggestion: Suggestion;
  active: boolean;
  take: () => void;
}

function Offer({ id, suggestion, active, take }: OfferProps) {
  const explained = useExplained();
  const old = suggestion.kind === "recent";
  return (
    // biome-ignore lint/a11y/useFocusableInteractive: the field has the focus, as a combobox does
    // biome-ignore lint/a11y/useKeyWithClickEvents: its keys are those of the field
    <div
      id={id}
      role="option"
      aria-selected={active}
      className={style.offer}
      // The field keeps the focus.
      onPointerDown={(event) => event.preventDefault()}
      onClick={take}
    >
      {old ? <Clock size={15} aria-hidden className={style.icon} /> : null}
      <span className={old ? style.old : style.word}>
        {old ? suggestion.text : suggestion.word}
      </span>
      {suggestion.kind === "operator" ? (
        <span className={style.means}>{explained(suggestion.word)}</span>
      ) : null}
    </div>
  );
}
