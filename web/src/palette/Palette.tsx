import { Trans, useLingui } from "@lingui/react/macro";
import { Search } from "lucide-react";
import { useMemo, useState } from "react";
import {
  Autocomplete,
  Dialog,
  Header,
  Input,
  ListBox,
  ListBoxItem,
  ListBoxSection,
  Modal,
  ModalOverlay,
  TextField,
} from "react-aria-components";
import type { Command } from "./command.ts";
import { fitting } from "./fuzzy.ts";
import style from "./Palette.module.css";

/** Rows that are offered at a time: more are found by another letter. */
const MOST = 40;

export interface PaletteProps {
  commands: readonly Command[];
  /** Looks for the words in the mail. */
  search: (words: string) => void;
  close: () => void;
}

/** All that can be gone to and done, found by a few letters of its name. */
export default function Palette({ commands, search, close }: PaletteProps) {
  const { t } = useLingui();
  const [typed, setTyped] = useState("");
  const wanted = typed.trim();
  const shown = useMemo(
    () => fitting(wanted, commands, ({ words }) => words).slice(0, MOST),
    [commands, wanted],
  );

  function run(id: string | number): void {
    close();
    if (id === "search") search(wanted);
    else commands.find((one) => one.id === id)?.run();
  }

  // What fits best stands first: its group as well.
  const groups = [...new Set(shown.map(({ group }) => group))];
  return (
    <ModalOverlay
      className={style.overlay ?? ""}
      isOpen
      onOpenChange={(open) => open || close()}
      isDismissable
    >
      <Modal className={style.modal ?? ""}>
        <Dialog className={style.dialog ?? ""} aria-label={t`Go anywhere, do anything`}>
          <Autocomplete inputValue={typed} onInputChange={setTyped}>
            <TextField
              aria-label={t`A folder, a setting, or what to do`}
              autoFocus
              className={style.find ?? ""}
            >
              <Search size={18} aria-hidden />
              <Input
                className={style.input ?? ""}
                role="combobox"
                aria-expanded
                aria-haspopup="listbox"
                placeholder={t`A folder, a setting, or what to do`}
                maxLength={200}
                spellCheck={false}
              />
            </TextField>
            <ListBox
              aria-label={t`What can be done`}
              className={style.offers ?? ""}
              onAction={run}
              renderEmptyState={() => (
                <p className={style.none}>
                  <Trans>Nothing has this name.</Trans>
                </p>
              )}
            >
              {groups.map((group) => (
                <ListBoxSection key={group} id={group}>
                  <Header className={style.group ?? ""}>{group}</Header>
                  {shown
                    .filter((one) => one.group === group)
                    .map((one) => (
                      <Offer key={one.id} command={one} />
                    ))}
                </ListBoxSection>
              ))}
              {wanted ? (
                <ListBoxSection id="mail">
                  <Header className={style.group ?? ""}>
                    <Trans>In the mail</Trans>
                  </Header>
                  <ListBoxItem
                    id="search"
                    textValue={t`Look for “${wanted}”`}
                    className={style.offer ?? ""}
                  >
                    <Search size={17} aria-hidden />
                    <span className={style.words}>{t`Look for “${wanted}”`}</span>
                  </ListBoxItem>
                </ListBoxSection>
              ) : null}
            </ListBox>
          </Autocomplete>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function Offer({ command: { id, words, icon: Icon, key } }: { command: Command }) {
  return (
    <ListBoxItem id={id} textValue={words} className={style.offer ?? ""}>
      <Icon size={17} aria-hidden />
      <span className={style.words}>{words}</span>
      {key ? <kbd className={style.key}>{key}</kbd> : null}
    </ListBoxItem>
  );
}
