/** mbox files: messages one after the other, each behind a line "From " (RFC 4155). Read in pieces, so that a file
    of many gigabytes needs no more room than its largest message. Quoting: mboxrd. */

export interface Found {
  /** CR LF at each end of line, as JMAP wants it. */
  readonly octets: Uint8Array<ArrayBuffer>;
  /** ISO; nothing where the line said none. */
  readonly receivedAt: string | undefined;
  readonly keywords: readonly string[];
}

/** Octets of a message; a longer one is no mail. */
const MOST = 200 * 1024 * 1024;
const LF = 10;
const CR = 13;
const FROM = [70, 114, 111, 109, 32];
const GREATER = 62;
const POSTMARK = /^From .*\d\d?:\d\d.*\b(?:19|20)\d\d\b/;

const latin = new TextDecoder("latin1");

class Growing {
  #octets = new Uint8Array(64 * 1024);
  length = 0;

  add(octets: Uint8Array): void {
    if (this.length + octets.length > this.#octets.length) {
      const more = new Uint8Array(Math.max(this.#octets.length * 2, this.length + octets.length));
      more.set(this.#octets.subarray(0, this.length));
      this.#octets = more;
    }
    this.#octets.set(octets, this.length);
    this.length += octets.length;
  }

  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#octets.slice(0, this.length);
    this.length = 0;
    return taken;
  }
}

/** Lines with their ends, of pieces that end anywhere. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const begun = new Growing();
  for await (const piece of pieces) {
    let at = 0;
    for (let end = piece.indexOf(LF); end >= 0; end = piece.indexOf(LF, at)) {
      const rest = piece.subarray(at, end + 1);
      at = end + 1;
      if (!begun.length) yield rest;
      else {
        begun.add(rest);
        yield begun.take();
      }
    }
    if (at < piece.length) begun.add(piece.subarray(at));
  }
  if (begun.length) yield begun.take();
}

function isFrom(line: Uint8Array, at = 0): boolean {
  return FROM.every((octet, n) => line[at + n] === octet);
}

const isEmpty = (line: Uint8Array) => line[0] === LF || (line[0] === CR && line[1] === LF);

/** A line without the quoting of those that begin with "From ". */
function unquoted(line: Uint8Array): Uint8Array {
  let marks = 0;
  while (line[marks] === GREATER) marks++;
  return marks && isFrom(line, marks) ? line.subarray(1) : line;
}

/** The messages of an mbox file. Throws where it is none. */
export async function* messagesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Found> {
  const message = new Growing();
  let postmark: string | undefined;
  let empty = true;
  const end = new Uint8Array([CR, LF]);

  function taken(): Found {
    return found(message.take(), postmark ?? "");
  }

  for await (const line of linesOf(pieces)) {
    if (empty && isFrom(line) && POSTMARK.test(latin.decode(line.subarray(0, 300)))) {
      if (postmark !== undefined) yield taken();
      postmark = latin.decode(line).trim();
      empty = false;
      continue;
    }
    if (postmark === undefined) {
      if (isEmpty(line)) continue;
      throw new Error("not mbox");
    }
    if (message.length > MOST) throw new Error("too large");
    empty = isEmpty(line);
    const plain = unquoted(line);
    const last = plain.length - 1;
    if (plain[last] === LF && plain[last - 1] !== CR) {
      message.add(plain.subarray(0, last));
      message.add(end);
    } else message.add(plain);
  }
  if (postmark !== undefined) yield taken();
}

function found(octets: Uint8Array<ArrayBuffer>, postmark: string): Found {
  // The empty line before the next postmark is not the message's.
  const last = octets.length;
  const ends = octets[last - 1] === LF && octets[last - 2] === CR && octets[last - 3] === LF;
  const whole = ends ? octets.subarray(0, last - 2) : octets;
  return { octets: whole, receivedAt: dateOf(postmark), keywords: keywordsOf(whole) };
}

/** When it came, by the line before a message: in UTC, where no zone is said. */
export function dateOf(postmark: string): string | undefined {
  const parts =
    /([A-Z][a-z]{2}) +(\d\d?) +(\d\d?:\d\d(?::\d\d)?) +(?:([+-]\d{4}) +)?(?:[A-Z]{2,5} +)?((?:19|20)\d\d)(?: +([+-]\d{4}))?/.exec(
      postmark,
    );
  if (!parts) return undefined;
  const [, month, day, time, before, year, after] = parts;
  const date = new Date(`${day} ${month} ${year} ${time} ${after ?? before ?? "+0000"}`);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`;
}

/** What mail programs note in the header of what they keep. */
export function keywordsOf(octets: Uint8Array): readonly string[] {
  const head = latin.decode(octets.subarray(0, 32 * 1024)).split("\r\n\r\n", 1)[0] ?? "";
  const field = (name: string) =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
  const letters = field("Status") + field("X-Status");
  const mozilla = Number.parseInt(field("X-Mozilla-Status"), 16) || 0;
  const found: string[] = [];
  if (letters.includes("R") || mozilla & 1) found.push("$seen");
  if (letters.includes("A") || mozilla & 2) found.push("$answered");
  if (letters.includes("F") || mozilla & 4) found.push("$flagged");
  if (letters.includes("T")) found.push("$draft");
  return found;
}
