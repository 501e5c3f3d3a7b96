/** A transport that, where the server cannot be reached, answers from the shelf what it can. */
import { Answers, type Batch, RequestError, type Transport } from "../jmap/index.ts";
import { answered } from "./answer.ts";
import type { Shelf } from "./shelf.ts";

export class ShelvedTransport implements Transport {
  readonly #inner: Transport;
  readonly #shelf: Shelf;

  constructor(inner: Transport, shelf: Shelf) {
    this.#inner = inner;
    this.#shelf = shelf;
  }

  batch(): Batch {
    return this.#inner.batch();
  }

  async send(batch: Batch): Promise<Answers> {
    try {
      return await this.#inner.send(batch);
    } catch (error) {
      if (!(error instanceof RequestError) || !/^(?:offline|away)$/.test(error.trouble))
        throw error;
      const answers = await answered(batch.calls, this.#shelf);
      if (!answers) throw error;
      return new Answers(answers);
    }
  }
}
