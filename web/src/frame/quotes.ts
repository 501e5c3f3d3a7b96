/** What is quoted at the end of a message is folded away, behind a button; what is answered within it is not. */

const FORWARDED =
  /^\s*(?:-+\s*(?:forwarded message|original message|message transf|message d.origine)|begin forwarded)/i;

/** The quotations that end a message; none where it is nothing else, or passes something on. */
export function trailing(mail: HTMLElement): HTMLElement[] {
  const quotes = [...mail.querySelectorAll<HTMLElement>("[data-quote]")].filter(
    (one) => !one.parentElement?.closest("[data-quote]"),
  );
  const found: HTMLElement[] = [];
  for (const quote of quotes.reverse()) {
    if (hasWords(between(quote, found.at(-1) ?? null, mail))) break;
    found.push(quote);
  }
  found.reverse();
  const [first] = found;
  if (!first || FORWARDED.test(first.textContent ?? "")) return [];
  const before = document.createRange();
  before.setStart(mail, 0);
  before.setEndBefore(first);
  return hasWords(before) ? found : [];
}

function between(after: Node, before: Node | null, within: Node): Range {
  const range = document.createRange();
  range.setStartAfter(after);
  if (before) range.setEndBefore(before);
  else range.setEnd(within, within.childNodes.length);
  return range;
}

function hasWords(range: Range): boolean {
  return (
    /\S/.test(range.toString()) || range.cloneContents().querySelector("img[data-picture]") !== null
  );
}

/** Fold what ends the message. */
export function fold(mail: HTMLElement, words: string): void {
  const quotes = trailing(mail);
  const [first] = quotes;
  if (!first) return;
  const button = document.createElement("button");
  button.type = "button";
  button.id = "fold";
  button.textContent = "•••";
  button.title = words;
  button.setAttribute("aria-label", words);
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const hide = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!hide));
    for (const one of quotes) one.toggleAttribute("data-folded", hide);
  });
  first.before(button);
  for (const one of quotes) one.setAttribute("data-folded", "");
}
