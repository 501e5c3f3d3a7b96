/** What a link to an address asks for (RFC 6068). Pure. */
import { parseAddresses } from "./addresses.ts";
import type { Wish } from "./begin.ts";

/** Of the fields a link may name, those that are the writer's to see: no others are taken. */
export function wishOf(href: string): Wish {
  const [path = "", query = ""] = href.replace(/^mailto:/i, "").split(/\?(.*)/s);
  const found: Record<string, string> = {};
  for (const piece of query.split("&")) {
    const [name = "", value = ""] = piece.split(/=(.*)/s);
    const key = decoded(name).toLowerCase();
    found[key] = found[key] && key === "to" ? `${found[key]},${decoded(value)}` : decoded(value);
  }
  const people = (text: string | undefined) => (text ? parseAddresses(text) : []);
  return {
    to: [...people(decoded(path)), ...people(found.to)],
    cc: people(found.cc),
    bcc: people(found.bcc),
    subject: (found.subject ?? "").replace(/[\r\n]+/g, " ").slice(0, 1_000),
    text: (found.body ?? "").replace(/\r\n?/g, "\n").slice(0, 100_000),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
