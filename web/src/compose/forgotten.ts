/** Whether a text speaks of attachments, in the languages of the client. */

const WORDS = [
  // English
  /\b(?:i(?:'ve| have)?|we(?:'ve| have)?) (?:also )?attach(?:ed)?\b/i,
  /\b(?:is|are|find|see|please see|the) (?:\w+ )?attached\b(?! to (?:h|m|y|our|their|it|one))/i,
  /\battached (?:is|are|you|please|below|here|file|document|pdf|picture|photo|invoice|image)s?\b/i,
  /\b(?:attachments?|enclosed|i enclose)\b/i,
  // French
  /(?<!\p{L})(?:ci|di)[ -]?joint(?:e|s|es)?(?!\p{L})/iu,
  /(?<!\p{L})pi[èe]ces?[ -]jointes?(?!\p{L})/iu,
  /(?<!\p{L})(?:en|ma|la|les|vos?|une?) (?:p\.?j\.?|pj|annexes?)(?!\p{L})/iu,
  /(?<!\p{L})(?:je|j'ai|nous|vous trouverez|trouverez|veuillez trouver) (?:vous )?(?:ai |avons |ci-)?join(?:s|t|ts|te|tes|dre|drons|gnons)(?!\p{L})/iu,
  /(?<!\p{L})(?:fichiers?|documents?|photos?|images?) (?:joint|attach[ée])(?:e|s|es)?(?!\p{L})/iu,
];
/** Of a long text, the part that is looked at. */
const MOST = 20_000;

export function speaksOfAttachments(subject: string, text: string): boolean {
  const own = text
    .slice(0, MOST)
    .split("\n")
    .filter((line) => !line.startsWith(">"))
    .join("\n");
  return WORDS.some((words) => words.test(own) || words.test(subject));
}
