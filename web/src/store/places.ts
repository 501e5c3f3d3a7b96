/** Which id is at which place of a list that is known in parts. Each change costs what is known, not what the
    list is long. */
import type { Id } from "../jmap/index.ts";

export interface Place {
  readonly id: Id;
  /** When it was noted; see `MessageList`. */
  readonly era: number;
}

export class Places {
  length = 0;
  #places = new Map<number, Place>();
  #index = new Map<Id, number>();

  at(place: number): Place | undefined {
    return this.#places.get(place);
  }

  /** -1 where it is not known. */
  of(id: Id): number {
    return this.#index.get(id) ?? -1;
  }

  /** An id is at one place alone: noted anew it leaves the one before. */
  put(place: number, found: Place): void {
    const before = this.#places.get(place);
    if (before && before.id !== found.id) this.#index.delete(before.id);
    const elsewhere = this.of(found.id);
    if (elsewhere >= 0 && elsewhere !== place) this.#places.delete(elsewhere);
    this.#places.set(place, found);
    this.#index.set(found.id, place);
  }

  resize(length: number): void {
    if (length < this.length) {
      for (const [place, { id }] of this.#places) {
        if (place < length) continue;
        this.#places.delete(place);
        this.#index.delete(id);
      }
    }
    this.length = length;
  }

  /** Take out what is known of these; all after them move up. */
  remove(ids: Iterable<Id>): void {
    const gone = [...ids].map((id) => this.of(id)).filter((place) => place >= 0);
    if (!gone.length) return;
    gone.sort((a, b) => a - b);
    const out = new Set(gone);
    let before = 0;
    this.#rebuild((place) => {
      if (out.has(place)) return undefined;
      while (before < gone.length && (gone[before] ?? 0) < place) before += 1;
      return place - before;
    });
    this.length -= gone.length;
  }

  /** Put in, each at the place that it has in the end; what is there moves down. */
  insert(added: readonly { readonly place: number; readonly found: Place }[]): void {
    this.remove(added.map(({ found }) => found.id));
    const sorted = [...added].sort((a, b) => a.place - b.place);
    let before = 0;
    this.#rebuild((place) => {
      while (before < sorted.length && (sorted[before]?.place ?? 0) <= place + before) before += 1;
      return place + before;
    });
    this.length += sorted.length;
    for (const { place, found } of sorted) {
      if (place < this.length) this.put(place, found);
    }
  }

  /** Note that all up to before a place are of an era. */
  renew(to: number, era: number): void {
    for (let place = 0; place < to; place++) {
      const found = this.#places.get(place);
      if (found) this.#places.set(place, { id: found.id, era });
    }
  }

  #rebuild(moved: (place: number) => number | undefined): void {
    const known = [...this.#places].sort((a, b) => a[0] - b[0]);
    this.#places = new Map();
    this.#index = new Map();
    for (const [place, found] of known) {
      const to = moved(place);
      if (to === undefined) continue;
      this.#places.set(to, found);
      this.#index.set(found.id, to);
    }
  }
}
