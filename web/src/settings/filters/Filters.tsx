import { Trans, useLingui } from "@lingui/react/macro";
import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import {
  type AnyRule,
  Caught,
  isOurs,
  isWhole,
  type Places,
  RuleEditor,
  rule,
  shifted,
  useWords,
} from "../../filters/index.ts";
import { type FilterRule, type JmapClient, loadOne, saveOne } from "../../jmap/index.ts";
import { Button, Dialog, EmptyState, IconButton, Notice, Switch, toasts } from "../../ui/index.ts";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Form, Section } from "../Section.tsx";
import pageStyle from "../Settings.module.css";
import { client } from "../session.ts";
import style from "./Filters.module.css";

interface Found extends Places {
  readonly client: JmapClient;
  readonly state: string;
  readonly rules: readonly AnyRule[];
}

async function load(): Promise<Found> {
  const server = await client();
  const batch = server.batch();
  const boxes = batch.add("Mailbox/get", { ids: null });
  const labels = batch.add("Label/get", { ids: null });
  const [answers, { state, one }] = await Promise.all([
    server.send(batch),
    loadOne(server, "Filters"),
  ]);
  return {
    client: server,
    state,
    rules: one.rules,
    mailboxes: answers.of(boxes).list,
    labels: answers.of(labels).list,
  };
}

/** What is done with mail as it comes. */
export function Filters() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {(there) => (
        <div className={pageStyle.page}>
          <Rules found={there} again={again} />
        </div>
      )}
    </Loaded>
  );
}

function Rules({ found, again }: { found: Found; again: () => void }) {
  const { t } = useLingui();
  const words = useWords();
  const tried = useTried();
  const { rules } = found;
  const [editing, setEditing] = useState<{ at: number; rule: FilterRule }>();

  async function save(next: readonly AnyRule[]): Promise<boolean> {
    const worked = await tried.run(() =>
      saveOne(found.client, "Filters", found.state, { rules: next }),
    );
    // Also where it was not saved: what others saved meanwhile is to be seen.
    again();
    return worked;
  }

  async function remove(at: number): Promise<void> {
    const worked = await save(rules.filter((_, n) => n !== at));
    if (worked) toasts.show(t`The filter was removed.`);
  }

  async function keep(edited: FilterRule, at: number): Promise<void> {
    const next = at < 0 ? [...rules, edited] : rules.map((one, n) => (n === at ? edited : one));
    if (await save(next)) setEditing(undefined);
  }

  const name = (one: AnyRule) => (isOurs(one) ? one.name : t`A filter of a newer version`);
  return (
    <Section
      about={
        <p>
          <Trans>
            The first that fits is carried out, from the top. They work on mail as it comes, on all
            devices.
          </Trans>
        </p>
      }
      actions={
        <Button
          kind="primary"
          icon={Plus}
          onPress={() => [tried.forget(), setEditing({ at: -1, rule: rule() })]}
        >
          <Trans>New filter</Trans>
        </Button>
      }
    >
      {tried.trouble && !editing ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      {rules.length ? (
        <ol className={style.rules} aria-label={t`Filters`}>
          {rules.map((one, n) => (
            <li key={isOurs(one) ? one.id : one.raw} className={style.rule}>
              <div className={style.words}>
                {isOurs(one) ? (
                  <Switch
                    label={name(one)}
                    hint={words.summary(one, found)}
                    on={one.enabled}
                    turn={(enabled) =>
                      void save(rules.map((other) => (other === one ? { ...one, enabled } : other)))
                    }
                  />
                ) : (
                  name(one)
                )}
              </div>
              <div className={style.tools}>
                <IconButton
                  icon={ArrowUp}
                  label={t`Move ${name(one)} up`}
                  isDisabled={n === 0}
                  onPress={() => void save(shifted(rules, n, -1))}
                />
                <IconButton
                  icon={ArrowDown}
                  label={t`Move ${name(one)} down`}
                  isDisabled={n === rules.length - 1}
                  onPress={() => void save(shifted(rules, n, 1))}
                />
                {isOurs(one) ? (
                  <IconButton
                    icon={Pencil}
                    label={t`Change ${name(one)}`}
                    onPress={() => [tried.forget(), setEditing({ at: n, rule: one })]}
                  />
                ) : null}
                <IconButton
                  icon={Trash2}
                  label={t`Remove ${name(one)}`}
                  onPress={() => void remove(n)}
                />
              </div>
            </li>
          ))}
        </ol>
      ) : (
        <EmptyState icon={Pencil} title={t`No filters yet`}>
          <Trans>File, mark or send on mail by itself. You can also make one from a message.</Trans>
        </EmptyState>
      )}
      {editing ? (
        <Dialog
          open
          size="wide"
          close={() => setEditing(undefined)}
          title={editing.at < 0 ? t`New filter` : t`Change the filter`}
          closeLabel={t`Close`}
        >
          <Form
            submit={() => void keep(editing.rule, editing.at)}
            actions={
              <Button type="submit" kind="primary" isDisabled={!isWhole(editing.rule)}>
                <Trans>Save</Trans>
              </Button>
            }
          >
            {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
            <RuleEditor
              rule={editing.rule}
              change={(next) => setEditing({ ...editing, rule: next })}
              places={found}
            />
            <Caught rule={editing.rule} client={found.client} />
          </Form>
        </Dialog>
      ) : null}
    </Section>
  );
}
