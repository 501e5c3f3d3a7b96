/** Colours of a message on a dark page. What has a design of its own is left on the paper it was made for;
    the rest takes the page's colours, and words too dark to be read there are made lighter. */

export type Colour = readonly [red: number, green: number, blue: number];

/** The page's own, where it is dark (`ui/tokens.css`). */
const DARK: Colour = [0x1a, 0x1e, 0x1c];
/** Contrast that text must have (WCAG 2.2 AA). */
const ENOUGH = 4.5;
/** Elements that are looked at. */
const MOST = 20_000;

const NUMBERS = /^rgba?\((\d+)[, ]+(\d+)[, ]+(\d+)(?:[,/ ]+([\d.]+%?))?\)$/;

/** What a computed colour says; nothing where it is seen through. */
export function parsed(css: string): Colour | undefined {
  const match = NUMBERS.exec(css);
  if (!match) return undefined;
  if (match[4] !== undefined && Number.parseFloat(match[4]) === 0) return undefined;
  return [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** Relative luminance (WCAG 2.2). */
export function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((one) => {
    const part = one / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(one: Colour, other: Colour): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

/** A colour of the same hue that can be read on dark. */
export function lightened(colour: Colour): Colour {
  let found = colour;
  for (let step = 0; step < 20 && contrast(found, DARK) < ENOUGH; step++) {
    const [red, green, blue] = found.map((one) => Math.round(one + (255 - one) * 0.15));
    found = [red ?? 255, green ?? 255, blue ?? 255];
  }
  return found;
}

/** Whether something behind the words is neither clear nor as good as white. */
export function isDesigned(mail: HTMLElement): boolean {
  const all = mail.querySelectorAll<HTMLElement>("[style],[bgcolor],[data-background]");
  if (all.length > MOST) return true;
  for (const element of all) {
    if (element.hasAttribute("data-background")) return true;
    const style = getComputedStyle(element);
    if (style.backgroundImage !== "none") return true;
    const behind = parsed(style.backgroundColor);
    if (behind && luminance(behind) < 0.9) return true;
  }
  return false;
}

/** Put what is no design into colours for a dark page. */
export function darken(mail: HTMLElement): void {
  const all = mail.querySelectorAll<HTMLElement>("[style],[bgcolor],font[color]");
  for (const element of all) {
    if (parsed(getComputedStyle(element).backgroundColor)) {
      element.style.setProperty("background", "transparent", "important");
      element.removeAttribute("bgcolor");
    }
    // Links have the page's own colour.
    const own = element.style.color || element.getAttribute("color");
    const colour = own ? parsed(getComputedStyle(element).color) : undefined;
    if (colour && contrast(colour, DARK) < ENOUGH) {
      element.style.setProperty("color", `rgb(${lightened(colour).join(" ")})`, "important");
    }
  }
}
