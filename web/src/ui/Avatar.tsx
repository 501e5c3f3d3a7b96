import style from "./Avatar.module.css";
import { classes } from "./classes.ts";

/** Hues that are told apart easily; each person has one, always the same. */
const HUES = 10;

function hueOf(text: string): number {
  let sum = 7;
  for (const letter of text.toLowerCase()) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}

/** The first letters of a name: two of two words, else one. */
export function initials(name: string): string {
  const words = name
    .replace(/[^\p{L}\p{N}\s@.-]/gu, "")
    .split(/[\s@.]+/u)
    .filter(Boolean);
  const chosen = words.length > 1 && !name.includes("@") ? [words[0], words.at(-1)] : [words[0]];
  const letters = chosen.map((word) => [...(word ?? "")][0] ?? "").join("");
  return letters.toLocaleUpperCase() || "?";
}

/** A person, where there is no picture. */
export function Avatar({
  name,
  email,
  size = "m",
}: {
  name: string;
  email: string;
  size?: "s" | "m";
}) {
  return (
    <span
      aria-hidden
      className={classes(style.avatar, style[size])}
      data-hue={hueOf(email || name)}
    >
      {initials(name || email)}
    </span>
  );
}
