import { Trans, useLingui } from "@lingui/react/macro";
import { Plus, X } from "lucide-react";
import { pathName } from "../folders/index.ts";
import type { FilterAction, FilterCondition, FilterRule } from "../jmap/index.ts";
import { Button, Choice, IconButton, Select, Switch, TextField } from "../ui/index.ts";
import style from "./RuleEditor.module.css";
import { action, condition } from "./rules.ts";
import { type Places, useWords } from "./words.ts";

export interface RuleEditorProps {
  rule: FilterRule;
  change: (rule: FilterRule) => void;
  places: Places;
}

function replaced<T>(all: readonly T[], at: number, one: T | undefined): readonly T[] {
  return all.flatMap((before, n) => (n === at ? (one === undefined ? [] : [one]) : [before]));
}

/** What a rule looks for, and what it does then. */
export function RuleEditor({ rule, change, places }: RuleEditorProps) {
  const { t } = useLingui();
  const { conditions, actions } = rule;
  return (
    <>
      <TextField
        label={t`Name`}
        value={rule.name}
        onChange={(name) => change({ ...rule, name })}
        maxLength={100}
        isRequired
      />
      <fieldset className={style.part}>
        <legend className={style.legend}>
          <Trans>Mail that</Trans>
        </legend>
        {conditions.map((one, n) => (
          <ConditionRow
            // biome-ignore lint/suspicious/noArrayIndexKey: they have no name but their place
            key={n}
            one={one}
            change={(next) => change({ ...rule, conditions: replaced(conditions, n, next) })}
            remove={
              conditions.length > 1
                ? () => change({ ...rule, conditions: replaced(conditions, n, undefined) })
                : undefined
            }
          />
        ))}
        <div>
          <Button
            kind="quiet"
            icon={Plus}
            onPress={() => change({ ...rule, conditions: [...conditions, condition()] })}
          >
            <Trans>Another condition</Trans>
          </Button>
        </div>
        {conditions.length > 1 ? (
          <Choice
            label={t`How they go together`}
            chosen={rule.match}
            choose={(match) => change({ ...rule, match })}
            options={[
              { id: "all", name: t`All must hold` },
              { id: "any", name: t`One is enough` },
            ]}
          />
        ) : null}
      </fieldset>
      <fieldset className={style.part}>
        <legend className={style.legend}>
          <Trans>What is done with it</Trans>
        </legend>
        {actions.map((one, n) => (
          <ActionRow
            // biome-ignore lint/suspicious/noArrayIndexKey: they have no name but their place
            key={n}
            one={one}
            places={places}
            change={(next) => change({ ...rule, actions: replaced(actions, n, next) })}
            remove={
              actions.length > 1
                ? () => change({ ...rule, actions: replaced(actions, n, undefined) })
                : undefined
            }
          />
        ))}
        <div>
          <Button
            kind="quiet"
            icon={Plus}
            onPress={() =>
              change({
                ...rule,
                actions: [...actions, action({ does: "mark", flags: ["\\Seen"] })],
              })
            }
          >
            <Trans>Another action</Trans>
          </Button>
        </div>
      </fieldset>
      <Switch
        label={t`Stop there`}
        hint={t`Rules below are not looked at for this mail.`}
        on={rule.stop}
        turn={(stop) => change({ ...rule, stop })}
      />
    </>
  );
}

function ConditionRow({
  one,
  change,
  remove,
}: {
  one: FilterCondition;
  change: (one: FilterCondition) => void;
  remove: (() => void) | undefined;
}) {
  const { t } = useLingui();
  const words = useWords();
  const { field, relation } = one;
  const relations =
    field === "size"
      ? (["larger", "smaller"] as const)
      : field === "body"
        ? (["contains"] as const)
        : (["contains", "is", "begins", "ends", "exists"] as const);
  type Way = (typeof relations)[number];
  const ways = relations.flatMap((id) => [
    { id: id as Way | `not ${Way}`, name: words.relations[id] },
    { id: `not ${id}` as const, name: words.not[id] },
  ]);

  function fieldChosen(next: FilterCondition["field"]): void {
    const sized = next === "size";
    const kept = sized === (field === "size") && next !== "body" && relation !== "exists";
    change({
      ...one,
      field: next,
      relation: next === "attachment" ? "exists" : sized ? "larger" : kept ? relation : "contains",
      value: sized ? "5000000" : field === "size" ? "" : one.value,
    });
  }

  return (
    <div className={style.row}>
      <Select
        label={t`What is looked at`}
        quiet
        chosen={field}
        choose={fieldChosen}
        options={Object.entries(words.fields).map(([id, name]) => ({
          id: id as FilterCondition["field"],
          name,
        }))}
      />
      {field === "header" ? (
        <TextField
          aria-label={t`Name of the header field`}
          label=""
          placeholder="X-Spam-Flag"
          value={one.name}
          onChange={(name) => change({ ...one, name })}
        />
      ) : null}
      {field === "attachment" ? (
        <Select
          label={t`How`}
          quiet
          chosen={one.negated ? "no" : "yes"}
          choose={(id) => change({ ...one, negated: id === "no" })}
          options={[
            { id: "yes", name: t`is there` },
            { id: "no", name: t`is not there` },
          ]}
        />
      ) : (
        <Select
          label={t`How`}
          quiet
          chosen={one.negated ? (`not ${relation}` as const) : relation}
          choose={(id) =>
            change({
              ...one,
              negated: id.startsWith("not "),
              relation: id.replace("not ", "") as FilterCondition["relation"],
            })
          }
          options={ways as { id: string; name: string }[]}
        />
      )}
      {field === "attachment" || relation === "exists" ? (
        <span />
      ) : field === "size" ? (
        <Select
          label={t`Size`}
          quiet
          chosen={one.value}
          choose={(value) => change({ ...one, value })}
          options={["100000", "1000000", "5000000", "10000000", "25000000"].map((id) => ({
            id,
            name: Number(id) < 1_000_000 ? t`${Number(id) / 1000} kB` : t`${Number(id) / 1e6} MB`,
          }))}
        />
      ) : (
        <TextField
          aria-label={t`Text that is looked for`}
          label=""
          value={one.value}
          onChange={(value) => change({ ...one, value })}
          maxLength={500}
        />
      )}
      {remove ? <IconButton icon={X} label={t`Remove this condition`} onPress={remove} /> : null}
    </div>
  );
}

function ActionRow({
  one,
  places,
  change,
  remove,
}: {
  one: FilterAction;
  places: Places;
  change: (one: FilterAction) => void;
  remove: (() => void) | undefined;
}) {
  const { t, i18n } = useLingui();
  const words = useWords();
  const { does } = one;
  const boxes = places.mailboxes.filter((box) => box.role !== "drafts" && box.role !== "sent");
  const marks = ["\\Seen", "\\Flagged", ...places.labels.map(({ id }) => id)];
  const flag = one.flags[0] ?? "";

  function chosen(next: FilterAction["does"]): void {
    change({ ...one, does: next, flags: next === "mark" ? ["\\Seen"] : [] });
  }

  return (
    <div className={style.row}>
      <Select
        label={t`What is done`}
        quiet
        chosen={does}
        choose={chosen}
        options={Object.entries(words.deeds).map(([id, name]) => ({
          id: id as FilterAction["does"],
          name,
        }))}
      />
      {does === "move" || does === "copy" ? (
        <Select
          label={t`Folder`}
          quiet
          chosen={one.mailbox}
          choose={(mailbox) => {
            const box = boxes.find(({ id }) => id === mailbox);
            change({ ...one, mailbox, name: box?.name ?? "" });
          }}
          options={[
            ...(boxes.some(({ id }) => id === one.mailbox)
              ? []
              : [{ id: one.mailbox, name: one.name || t`Choose a folder` }]),
            ...boxes.map((box) => ({
              id: box.id as string,
              name: pathName(box, places.mailboxes, i18n),
            })),
          ]}
        />
      ) : does === "mark" ? (
        <Select
          label={t`With what`}
          quiet
          chosen={flag}
          choose={(id) => change({ ...one, flags: [id] })}
          options={[...new Set([...marks, flag])]
            .filter(Boolean)
            .map((id) => ({ id, name: words.mark(id, places) }))}
        />
      ) : does === "forward" ? (
        <TextField
          aria-label={t`Address`}
          label=""
          type="email"
          placeholder="ada@example.org"
          value={one.address}
          onChange={(address) => change({ ...one, address })}
        />
      ) : does === "reject" ? (
        <TextField
          aria-label={t`What the sender is told`}
          label=""
          value={one.text}
          onChange={(text) => change({ ...one, text })}
          maxLength={500}
        />
      ) : (
        <span />
      )}
      {remove ? <IconButton icon={X} label={t`Remove this action`} onPress={remove} /> : null}
    </div>
  );
}
