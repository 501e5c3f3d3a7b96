import type { Card, Id } from "../jmap/index.ts";
import { Avatar, classes } from "../ui/index.ts";
import { inOrder, photoOf, titleOf } from "./card.ts";
import { useHere } from "./context.ts";
import style from "./Face.module.css";

/** The photo of a card, or its letters. */
export function Face({ card, account, large }: { card: Card; account: Id; large?: boolean }) {
  const { shelf } = useHere();
  const photo = photoOf(card);
  const name = titleOf(card);
  return (
    <span className={classes(style.face, large && style.large)} aria-hidden>
      {photo?.blobId ? (
        <img
          className={style.photo}
          src={shelf.client.download(photo.blobId, "photo", photo.mediaType ?? "", account)}
          alt=""
          loading="lazy"
          decoding="async"
        />
      ) : (
        <Avatar name={name} email={inOrder(card.emails)[0]?.address ?? name} />
      )}
    </span>
  );
}
