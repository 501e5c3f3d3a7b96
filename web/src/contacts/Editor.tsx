import { Trans, useLingui } from "@lingui/react/macro";
import { type FormEvent, useState } from "react";
import type { Card, Id } from "../jmap/index.ts";
import { Button, Dialog, Notice, Select, TextArea, TextField, toasts } from "../ui/index.ts";
import type { Editing } from "./context.ts";
import { useHere } from "./context.ts";
import style from "./Editor.module.css";
import { type Form, formOf, inverse, patchOf } from "./form.ts";
import { Lines, Postals } from "./Lines.tsx";
import { MemberField } from "./MemberField.tsx";
import { useBookName } from "./names.ts";
import { PhotoField } from "./PhotoField.tsx";
import { wordsOf } from "./words.ts";

export interface EditorProps {
  what: Editing;
  close: () => void;
  /** Told the id of a card that was made. */
  made: (card: Id) => void;
}

/** The form of a person or a group. What was typed is not lost where it is closed by mistake. */
export function Editor({ what, close, made }: EditorProps) {
  const { t, i18n } = useLingui();
  const { shelf, edit } = useHere();
  const nameOf = useBookName();
  const { account, book, group, card } = what;
  const before = card ?? {};
  const [form, setForm] = useState<Form>(() => what.form ?? formOf(before, book));
  const [members, setMembers] = useState<readonly Card[]>(what.chosen ?? what.members ?? []);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState("");
  const set = (part: Partial<Form>) => setForm((now) => ({ ...now, ...part }));

  function patch(): Record<string, unknown> {
    const found = patchOf(before, form, book);
    if (!group) return found;
    const had = card?.members ?? {};
    const known = new Set((what.members ?? []).map(({ uid }) => uid));
    // Of members without a card nothing is known; they stay.
    const kept = Object.keys(had).filter((uid) => !known.has(uid) || !card);
    const now = [...kept, ...members.map(({ uid }) => uid)];
    const same = now.length === Object.keys(had).length && now.every((uid) => had[uid]);
    if (!same)
      found.members = now.length ? Object.fromEntries(now.map((uid) => [uid, true])) : null;
    if (found.name) found.name = { full: form.given.trim() };
    return found;
  }

  function leave(): void {
    close();
    if (busy || !Object.keys(patch()).length) return;
    toasts.show(t`What you typed was not saved`, {
      words: t`Go on`,
      run: () => edit({ ...what, form, chosen: members }),
    });
  }

  async function save(event: FormEvent): Promise<void> {
    event.preventDefault();
    if (busy) return;
    const change = patch();
    const text = [form.given, form.surname, form.organisation, ...form.emails.map(lineOf)];
    if (![...text, ...form.phones.map(lineOf)].join("").trim()) {
      setTrouble(t`Give at least a name, a mail address or a number.`);
      return;
    }
    if (!Object.keys(change).length) return close();
    setBusy(true);
    setTrouble("");
    try {
      if (card) {
        const back = inverse(card, change);
        await shelf.update(account, card.id, change);
        const undo = () => void shelf.update(account, card.id, back).catch(told);
        // A photo that was there is not on the server any more.
        toasts.show(t`Saved`, "media" in change ? undefined : { words: t`Undo`, run: undo });
      } else {
        const filled = Object.entries(change).filter(([, value]) => value !== null);
        const id = await shelf.create(account, {
          addressBookIds: { [form.book]: true },
          ...(group ? { kind: "group" } : {}),
          ...Object.fromEntries(filled),
        });
        toasts.show(t`Saved`);
        made(id);
      }
      close();
    } catch (error) {
      setTrouble(wordsOf(error, i18n));
      setBusy(false);
    }
  }

  function told(error: unknown): void {
    toasts.show(wordsOf(error, i18n));
  }

  const books = shelf.books.filter((one) => one.account === account && one.myRights.mayWrite);
  const title = card
    ? group
      ? t`Edit group`
      : t`Edit contact`
    : group
      ? t`New group`
      : t`New contact`;
  return (
    <Dialog open close={leave} title={title} closeLabel={t`Close`} size="wide">
      <form className={style.form} onSubmit={(event) => void save(event)} noValidate>
        {group ? (
          <>
            <TextField
              autoFocus
              label={t`Name of the group`}
              value={form.given}
              onChange={(given) => set({ given })}
              maxLength={500}
            />
            <MemberField account={account} members={members} change={setMembers} />
          </>
        ) : (
          <>
            <div className={style.top}>
              <PhotoField card={before} account={account} form={form} set={set} />
              <div className={style.two}>
                <TextField
                  autoFocus
                  label={t`First name`}
                  value={form.given}
                  onChange={(given) => set({ given })}
                  maxLength={500}
                />
                <TextField
                  label={t`Last name`}
                  value={form.surname}
                  onChange={(surname) => set({ surname })}
                  maxLength={500}
                />
                <TextField
                  label={t`Organisation`}
                  value={form.organisation}
                  onChange={(organisation) => set({ organisation })}
                  maxLength={500}
                />
                <TextField
                  label={t`Function`}
                  value={form.title}
                  onChange={(next) => set({ title: next })}
                  maxLength={500}
                />
              </div>
            </div>
            <Lines
              kind="email"
              label={t`Mail address`}
              add={t`Add a mail address`}
              lines={form.emails}
              change={(emails) => set({ emails })}
            />
            <Lines
              kind="tel"
              label={t`Telephone`}
              add={t`Add a number`}
              lines={form.phones}
              change={(phones) => set({ phones })}
            />
            <Postals lines={form.addresses} change={(addresses) => set({ addresses })} />
            <Lines
              kind="url"
              label={t`On the web`}
              add={t`Add an address on the web`}
              lines={form.links}
              change={(links) => set({ links })}
            />
            <div className={style.day}>
              <TextField
                type="date"
                label={t`Birthday`}
                value={form.birthday}
                onChange={(birthday) => set({ birthday })}
              />
            </div>
          </>
        )}
        <TextArea
          label={t`Notes`}
          rows={3}
          value={form.note}
          onChange={(note) => set({ note })}
          maxLength={50_000}
        />
        {books.length > 1 ? (
          <Select
            label={t`Address book`}
            chosen={form.book}
            choose={(next) => set({ book: next })}
            options={books.map((one) => ({ id: one.id as string, name: nameOf(one) }))}
          />
        ) : null}
        {trouble ? <Notice tone="danger">{trouble}</Notice> : null}
        <div className={style.answers}>
          <Button onPress={leave}>
            <Trans>Cancel</Trans>
          </Button>
          <Button kind="primary" type="submit" isDisabled={busy}>
            <Trans>Save</Trans>
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const lineOf = ({ value }: { value: string }) => value;
