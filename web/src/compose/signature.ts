/** Signatures: where they stand, and how another takes their place. Pure. */
import type { Node } from "./doc.ts";

/** RFC 3676 §4.3. */
const SIGN = "-- ";

/** A document with a signature (the blocks of it) in place of the one it has. Where there is none and none is to
    be added, or the writer took it away, nothing happens. */
export function signed(doc: Node, signature: readonly Node[], add: boolean): Node {
  const content = [...(doc.content ?? [])];
  const at = content.findIndex(({ type }) => type === "signature");
  const fresh: Node[] = signature.length ? [{ type: "signature", content: signature }] : [];
  if (at >= 0) content.splice(at, 1, ...fresh);
  else if (add && fresh.length) content.push({ type: "paragraph" }, ...fresh);
  else return doc;
  return { ...doc, content: content.length ? content : [{ type: "paragraph" }] };
}

/** The same of plain text: what follows the line `-- ` is the signature. */
export function signedText(text: string, signature: string, add: boolean): string {
  const lines = text.split("\n");
  const at = lines.lastIndexOf(SIGN);
  const fresh = signature.trim() ? [SIGN, ...signature.trim().split(/\r\n?|\n/)] : [];
  if (at >= 0) return [...lines.slice(0, at), ...fresh].join("\n");
  if (!add || !fresh.length) return text;
  return [...(text ? lines : [""]), "", ...fresh].join("\n");
}

/** What was written, without the signature. */
export function unsigned(doc: Node): Node {
  return { ...doc, content: (doc.content ?? []).filter(({ type }) => type !== "signature") };
}

export function unsignedText(text: string): string {
  const lines = text.split("\n");
  const at = lines.lastIndexOf(SIGN);
  return at < 0 ? text : lines.slice(0, at).join("\n");
}
