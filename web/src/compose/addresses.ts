/** Addresses as people type and paste them. */
import type { Address } from "../jmap/index.ts";

const MOST = 2_000;
const LOCAL = /^(?:[^\s@<>()[\],;:\\".]+(?:\.[^\s@<>()[\],;:\\".]+)*|"(?:[^"\\]|\\.)+")$/u;
const LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u;

/** Whether mail can be sent to it, as far as its form says. */
export function isAddress(email: string): boolean {
  const at = email.lastIndexOf("@");
  if (at < 1 || email.length > 254 || at > 64) return false;
  const labels = email.slice(at + 1).split(".");
  return (
    LOCAL.test(email.slice(0, at)) && labels.length > 1 && labels.every((one) => LABEL.test(one))
  );
}

/** Where a list of addresses is to be cut: at commas, semicolons and line ends outside of quotes and brackets. */
function cut(text: string): string[] {
  const found: string[] = [];
  let [start, quoted, depth] = [0, false, 0];
  for (let at = 0; at < text.length; at++) {
    const letter = text[at] ?? "";
    if (letter === "\\" && quoted) at += 1;
    else if (letter === '"') quoted = !quoted;
    else if (letter === "\n" || (!quoted && !depth && (letter === "," || letter === ";"))) {
      found.push(text.slice(start, at));
      [start, quoted, depth] = [at + 1, false, 0];
    } else if (!quoted && (letter === "<" || letter === "(")) depth += 1;
    else if (!quoted && (letter === ">" || letter === ")")) depth = Math.max(0, depth - 1);
  }
  found.push(text.slice(start));
  return found.map((one) => one.trim()).filter(Boolean);
}

function named(name: string, email: string): Address {
  const plain = name
    .trim()
    .replace(/^(["'])([\s\S]*)\1$/, "$2")
    .replace(/\\(.)/g, "$1")
    .replace(/\s+/g, " ")
    .trim();
  return { name: plain && plain !== email ? plain : null, email };
}

function one(text: string): Address[] {
  const angled = /^([\s\S]*?)<\s*(?:mailto:)?([^<>]*?)\s*>\s*$/i.exec(text);
  if (angled) return [named(angled[1] ?? "", angled[2] ?? "")];
  const commented = /^(\S+@\S+)\s*\(([^()]*)\)$/.exec(text);
  if (commented) return [named(commented[2] ?? "", commented[1] ?? "")];
  const bare = text.replace(/^mailto:/i, "").replace(/\?.*$/, "");
  const words = bare.split(/\s+/);
  // Addresses one after the other, or with a name before them.
  if (words.length > 1 && words.every(isAddress)) return words.map((word) => named("", word));
  const last = words.at(-1) ?? "";
  if (words.length > 1 && isAddress(last)) return [named(words.slice(0, -1).join(" "), last)];
  return [{ name: null, email: bare }];
}

/** All that a text names; what is no address is kept as it was written, for whoever wrote it to see. */
export function parseAddresses(text: string): Address[] {
  const found: Address[] = [];
  for (const piece of cut(text.replace(/\r\n?/g, "\n"))) {
    // The name of a group stands before its members (RFC 5322 §3.4).
    const member = piece.replace(/^[^"@<>:]{1,200}:(?!\/\/)\s*(?=\S)/, (title) =>
      /^mailto:/i.test(title) ? title : "",
    );
    if (member) found.push(...one(member));
    if (found.length >= MOST) break;
  }
  return unique(found.slice(0, MOST));
}

/** Each address once, as it came first. */
export function unique(all: readonly Address[]): Address[] {
  const found = new Map<string, Address>();
  for (const address of all) {
    const key = address.email.toLowerCase();
    const known = found.get(key);
    if (!known) found.set(key, address);
    else if (!known.name && address.name) found.set(key, address);
  }
  return [...found.values()];
}

/** Those of `all` that are not among `others`. */
export function without(all: readonly Address[], others: readonly Address[]): Address[] {
  const gone = new Set(others.map(({ email }) => email.toLowerCase()));
  return all.filter(({ email }) => !gone.has(email.toLowerCase()));
}

export function personName({ name, email }: Address): string {
  return name?.trim() || email;
}

/** As it is written in a line, to be edited or copied. */
export function written({ name, email }: Address): string {
  if (!name) return email;
  const plain = /^[\p{L}\p{N} .'’-]+$/u.test(name);
  return `${plain ? name : `"${name.replace(/["\\]/g, "\\$&")}"`} <${email}>`;
}
