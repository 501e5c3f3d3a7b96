/** How well what is typed fits a name: its letters in their order, better at the beginnings of words and side by
    side. Accents and capitals do not matter. */

function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

const MOST = 100;

/** Greater is better; undefined where it does not fit. Every word that is typed has to be there. */
export function fitOf(typed: string, name: string): number | undefined {
  let sum = 0;
  const text = plain(name).slice(0, MOST);
  const words = plain(typed).split(/\s+/).filter(Boolean);
  for (const word of words) {
    const found = fitOne(word, text);
    if (found === undefined) return undefined;
    sum += found;
  }
  // Of two that fit as well, the shorter one.
  return words.length ? sum - text.length / MOST : 0;
}

function begins(text: string, at: number): boolean {
  return at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "");
}

function fitOne(word: string, text: string): number | undefined {
  // What is there as it was typed comes before what is only there in parts.
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (begins(text, at)) return 100 + word.length + (at === 0 ? 20 : 0);
  }
  if (text.includes(word)) return 60 + word.length;
  let at = -1;
  let score = 0;
  for (const letter of word) {
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    score += next === at + 1 ? 3 : begins(text, next) ? 4 : 0;
    at = next;
  }
  // Letters scattered over a name are chance, not meaning.
  return score >= word.length ? score : undefined;
}

/** What fits, the best first; in the order that it had where it fits as well. */
export function fitting<T>(typed: string, all: readonly T[], names: (one: T) => string): T[] {
  return all
    .map((one) => [one, fitOf(typed, names(one))] as const)
    .filter((pair): pair is readonly [T, number] => pair[1] !== undefined)
    .sort(([, a], [, b]) => b - a)
    .map(([one]) => one);
}
