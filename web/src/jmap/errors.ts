/** What may go wrong on the way to the server and back, in kinds that a client acts on. */

export type Trouble =
  /** No connection; try again when there is one. */
  | "offline"
  /** Nobody is signed in (any more). */
  | "signedOut"
  /** Too much at once; the server said how long to wait. */
  | "slowDown"
  /** The server is there and cannot answer now. */
  | "away"
  /** The request itself is wrong: a defect, or a server that is older or newer. */
  | "refused";

/** A whole request failed. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly trouble: Trouble;
  /** Seconds that the server asks to wait, 0 where it said nothing. */
  readonly wait: number;
  constructor(trouble: Trouble, words: string, wait = 0) {
    super(words);
    this.trouble = trouble;
    this.wait = wait;
  }
}

/** A call was answered with an error (RFC 8620 §3.6.2); the others of its request are not touched. */
export class MethodError extends Error {
  override readonly name = "MethodError";
  readonly type: string;
  constructor(type: string, description = "") {
    super(description || type);
    this.type = type;
  }
}
