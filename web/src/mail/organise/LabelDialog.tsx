import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import { Radio, RadioGroup, Label as Title } from "react-aria-components";
import type { MailLabel } from "../../jmap/index.ts";
import { Button, Dialog, LabelSign, Notice, TextField } from "../../ui/index.ts";
import { useLabels } from "./labels.ts";
import style from "./Organise.module.css";
import { useAttempt } from "./useAttempt.ts";

/** The name of a label, and its colour. */
export function LabelDialog({
  label,
  close,
}: {
  label?: MailLabel | undefined;
  close: () => void;
}) {
  const { t } = useLingui();
  const labels = useLabels();
  const [trouble, run] = useAttempt();
  const [name, setName] = useState(label?.name ?? "");
  const [colour, setColour] = useState(label?.colour ?? "blue");
  const colours: readonly (readonly [string, string])[] = [
    ["red", t`Red`],
    ["orange", t`Orange`],
    ["yellow", t`Yellow`],
    ["green", t`Green`],
    ["teal", t`Teal`],
    ["blue", t`Blue`],
    ["indigo", t`Indigo`],
    ["purple", t`Purple`],
    ["pink", t`Pink`],
    ["brown", t`Brown`],
    ["", t`No colour`],
  ];

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    event.stopPropagation();
    const wanted = name.trim();
    if (!wanted) return;
    const worked = await run(() =>
      label ? labels.change(label.id, { name: wanted, colour }) : labels.create(wanted, colour),
    );
    if (worked) close();
  }

  return (
    <Dialog
      open
      close={close}
      title={label ? t`Change the label` : t`New label`}
      closeLabel={t`Close`}
    >
      <form className={style.form} onSubmit={(event) => void save(event)}>
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <TextField
          label={t`Name`}
          value={name}
          onChange={setName}
          maxLength={100}
          isRequired
          autoFocus
        />
        <RadioGroup
          className={style.colours ?? ""}
          value={colour}
          onChange={setColour}
          orientation="horizontal"
        >
          <Title className={style.title ?? ""}>{t`Colour`}</Title>
          {colours.map(([id, words]) => (
            <Radio key={id} value={id} aria-label={words} className={style.colour ?? ""}>
              <LabelSign colour={id} />
            </Radio>
          ))}
        </RadioGroup>
        <div className={style.answers}>
          <Button type="submit" kind="primary">
            <Trans>Save</Trans>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
