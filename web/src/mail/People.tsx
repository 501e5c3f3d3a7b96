import { useEffect, useState } from "react";
import type { ContactsPlace } from "../route/index.ts";
import { useMail } from "./session.ts";
import { useWriting } from "./writing.ts";

type Piece = typeof import("../contacts/index.ts");

/** Contacts, a piece of its own, with what mail has: the connection, and a way to write to somebody. */
export function People({ place }: { place: ContactsPlace }) {
  const { client } = useMail();
  const writing = useWriting();
  const [piece, setPiece] = useState<Piece>();
  useEffect(() => void import("../contacts/index.ts").then(setPiece), []);
  if (!piece) return null;
  return <piece.Contacts place={place} client={client} write={(to) => writing.compose({ to })} />;
}
