import { useLingui } from "@lingui/react/macro";
import { useEffect, useRef, useState } from "react";
import type { Card, Id } from "../jmap/index.ts";
import { Button } from "../ui/index.ts";
import { photoOf } from "./card.ts";
import { useHere } from "./context.ts";
import style from "./Editor.module.css";
import { Face } from "./Face.tsx";
import type { Form } from "./form.ts";
import { shrunk } from "./photos.ts";
import { wordsOf } from "./words.ts";

export interface PhotoFieldProps {
  card: Partial<Card>;
  account: Id;
  form: Form;
  set: (part: Partial<Form>) => void;
}

/** The photo of a person, made small before it is sent. */
export function PhotoField({ card, account, form, set }: PhotoFieldProps) {
  const { t, i18n } = useLingui();
  const { shelf } = useHere();
  const [shown, setShown] = useState("");
  const [trouble, setTrouble] = useState("");
  const chooser = useRef<HTMLInputElement>(null);
  useEffect(() => () => URL.revokeObjectURL(shown), [shown]);

  async function take(file: File | undefined): Promise<void> {
    if (!file) return;
    setTrouble("");
    const picture = await shrunk(file);
    if (!picture) {
      setTrouble(t`This is no picture that can be shown.`);
      return;
    }
    try {
      const blobId = await shelf.upload(picture, account);
      setShown(URL.createObjectURL(picture));
      set({ photo: { blobId, mediaType: picture.type } });
    } catch (error) {
      setTrouble(wordsOf(error, i18n));
    }
  }

  const had = photoOf(card as Card);
  const there = form.photo === undefined ? Boolean(had) : form.photo !== null;
  const name = [form.given, form.surname].filter(Boolean).join(" ");
  const plain = { ...card, name: { full: name }, ...(there ? {} : { media: null }) } as Card;
  return (
    <div className={style.photo}>
      {form.photo && shown ? (
        <img className={style.picture} src={shown} alt={""} />
      ) : (
        <Face card={plain} account={account} large />
      )}
      <Button kind="quiet" onPress={() => chooser.current?.click()}>
        {there ? t`Other photo` : t`Add a photo`}
      </Button>
      {there ? (
        <Button kind="quiet" onPress={() => set({ photo: had ? null : undefined })}>
          {t`Remove`}
        </Button>
      ) : null}
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        className="visually-hidden"
        tabIndex={-1}
        aria-label={t`File of a photo`}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          void take(file);
        }}
      />
      {trouble ? <p role="alert">{trouble}</p> : null}
    </div>
  );
}
