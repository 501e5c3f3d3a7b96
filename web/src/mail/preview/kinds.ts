/** What can be shown of a file without leaving the page, by its type and its name. */
import type { Part } from "../../jmap/index.ts";

export type Kind = "picture" | "pdf" | "text" | "message" | "event" | "other";

const PICTURES = /^image\/(?:png|jpe?g|gif|webp|avif|bmp)$/;
const PICTURE_NAMES = /\.(?:png|jpe?g|gif|webp|avif|bmp)$/i;
const TEXTS =
  /^text\/(?:plain|csv|tab-separated-values|markdown|x-.*|log)$|^application\/(?:json|x-yaml|yaml|toml)$/;
const TEXT_NAMES =
  /\.(?:txt|text|log|csv|tsv|md|markdown|json|ya?ml|toml|ini|conf|diff|patch|sql|asc)$/i;
/** What a program calls a file that it knows nothing of. */
const ANYTHING = /^application\/(?:octet-stream|x-download|force-download|binary)$/;

export function kindOf({ type, name }: Pick<Part, "type" | "name">): Kind {
  const by = type.toLowerCase();
  const file = ANYTHING.test(by) ? (name ?? "") : "";
  if (PICTURES.test(by) || PICTURE_NAMES.test(file)) return "picture";
  if (by === "application/pdf" || /\.pdf$/i.test(file)) return "pdf";
  if (by === "message/rfc822" || by === "message/global" || /\.eml$/i.test(file)) return "message";
  if (by === "text/calendar" || /\.ics$/i.test(file)) return "event";
  // A page or a drawing is a document that could do things: it is saved, not shown.
  if (TEXTS.test(by) || TEXT_NAMES.test(file)) return "text";
  return "other";
}
