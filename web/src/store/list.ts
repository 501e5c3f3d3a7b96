/** The result of a query, known in parts: which Email is at which place, of a list of any length.

    Places are the server's; what was put away here, and is there still, is left out of what is shown. A place
    may be known, or known once and perhaps another by now (stale), or not known yet. */
import type { Comparator, Filter, Id, QueryChangesAnswer, Snippet } from "../jmap/index.ts";
import { Signal } from "./keyed.ts";
import { Places } from "./places.ts";

export interface ListSpec {
  readonly filter: Filter;
  readonly sort: readonly Comparator[];
  readonly collapseThreads: boolean;
  /** Whether rows show where they have what was looked for. */
  readonly snippets?: boolean;
}

export interface Window {
  readonly queryState: string;
  readonly position: number;
  readonly ids: readonly Id[];
  readonly total: number;
  readonly canCalculateChanges: boolean;
}

/** The beginning of a list, as it is kept on disk. */
export interface KeptList {
  readonly spec: ListSpec;
  readonly queryState: string;
  readonly canCalculateChanges: boolean;
  readonly total: number;
  readonly ids: readonly Id[];
}

export class MessageList extends Signal {
  readonly spec: ListSpec;
  /** Of the query, '' before the first answer. */
  queryState = "";
  canCalculateChanges = false;
  /** Whether the last look-up failed. */
  failed = false;
  /** By what error of the server, where it was one. */
  reason = "";
  /** Where Emails have what was looked for. */
  readonly snippets = new Map<Id, Snippet>();
  readonly #places = new Places();
  /** What was noted in an era before this one is stale. */
  #era = 0;
  readonly #hidden = new Map<Id, number>();
  #gaps: readonly number[] | undefined;

  constructor(spec: ListSpec) {
    super();
    this.spec = spec;
  }

  /** Whether its length is known. */
  get ready(): boolean {
    return this.queryState !== "";
  }

  /** How many are shown. */
  get length(): number {
    return this.#places.length - this.#hiddenPlaces().length;
  }

  at(index: number): Id | undefined {
    return this.#places.at(this.#place(index))?.id;
  }

  /** Where an Email is shown, -1 where that is not known. */
  indexOf(id: Id): number {
    const place = this.#places.of(id);
    if (place < 0 || this.#hidden.has(id)) return -1;
    return place - this.#hiddenPlaces().filter((gap) => gap < place).length;
  }

  /** The ids that are known at `from` up to before `to`. */
  known(from: number, to: number): Id[] {
    const found: Id[] = [];
    for (let index = Math.max(0, from); index < Math.min(to, this.length); index++) {
      const id = this.at(index);
      if (id) found.push(id);
    }
    return found;
  }

  /** The first window of `size` places that is needed to show `from` up to before `to`, as a place of the
      server; nothing where all is known. */
  missing(from: number, to: number, size: number): number | undefined {
    if (!this.ready) return 0;
    const last = Math.min(this.#place(to - 1) + 1, this.#places.length);
    for (let place = this.#place(Math.max(0, from)); place < last; place++) {
      // In steps, so that scrolling asks for each window once.
      if (this.#places.at(place)?.era !== this.#era) return place - (place % size);
    }
    return undefined;
  }

  /** An answer of `Email/query`. False: what is known here became newer than it meanwhile; ask again. */
  load(window: Window, stateAtRequest: string): boolean {
    const same = this.queryState === window.queryState;
    if (this.queryState !== stateAtRequest && !same) return false;
    if (this.ready && !same) this.#era += 1;
    this.queryState = window.queryState;
    this.canCalculateChanges = window.canCalculateChanges;
    this.failed = false;
    this.#places.resize(window.total);
    window.ids.forEach((id, n) => {
      this.#places.put(window.position + n, { id, era: this.#era });
    });
    this.#tell();
    return true;
  }

  /** Its beginning, up to `most` places. */
  keep(most: number): KeptList {
    const { spec, queryState, canCalculateChanges } = this;
    const ids: Id[] = [];
    for (let place = 0; place < Math.min(most, this.#head()); place++) {
      const found = this.#places.at(place);
      if (found) ids.push(found.id);
    }
    return { spec, queryState, canCalculateChanges, total: this.#places.length, ids };
  }

  /** What was kept of it, before anything else is known. */
  revive(kept: KeptList): void {
    if (this.ready) return;
    this.load({ ...kept, position: 0 }, "");
  }

  /** The last Email of the beginning that is known without a gap: up to it changes can be told. */
  get upTo(): Id | undefined {
    return this.#places.at(this.#head() - 1)?.id;
  }

  /** An answer of `Email/queryChanges` up to `upTo`. What is past that is stale from now on. */
  change(changes: QueryChangesAnswer): void {
    this.queryState = changes.newQueryState;
    const { removed, added, total } = changes;
    if (removed.length || added.length || total !== this.#places.length) {
      const head = this.#head();
      const gone = [...removed, ...added.map(({ id }) => id)];
      const left = new Set(gone.map((id) => this.#places.of(id)).filter((place) => place >= 0));
      this.#places.remove(removed);
      this.#places.insert(
        added.map(({ id, index }) => ({ place: index, found: { id, era: this.#era } })),
      );
      if (total !== undefined) this.#places.resize(total);
      this.#era += 1;
      let kept = head - [...left].filter((place) => place < head).length;
      for (const { index } of [...added].sort((a, b) => a.index - b.index)) {
        if (index <= kept) kept += 1;
      }
      this.#places.renew(kept, this.#era);
    }
    this.#tell();
  }

  /** Everything is to be looked up again; what is known is shown meanwhile. */
  stale(): void {
    this.#era += 1;
    this.#tell();
  }

  fail(reason = ""): void {
    this.failed = true;
    this.reason = reason;
    this.tell();
  }

  /** Leave out what was put away, until `unhide` was called as often. */
  hide(ids: Iterable<Id>): void {
    for (const id of ids) this.#hidden.set(id, (this.#hidden.get(id) ?? 0) + 1);
    this.#tell();
  }

  unhide(ids: Iterable<Id>): void {
    for (const id of ids) {
      const times = this.#hidden.get(id) ?? 0;
      if (times > 1) this.#hidden.set(id, times - 1);
      else this.#hidden.delete(id);
    }
    this.#tell();
  }

  /** Take out what was put away, where the server cannot tell that it is gone. */
  drop(ids: Iterable<Id>): void {
    this.#places.remove(ids);
    this.#tell();
  }

  /** Where Emails are by the server, of those that are known: what `restore` takes. */
  places(ids: Iterable<Id>): Map<Id, number> {
    const found = new Map<Id, number>();
    for (const id of ids) {
      const place = this.#places.of(id);
      if (place >= 0) found.set(id, place);
    }
    return found;
  }

  /** Show again what was put away, where it was, before the server says so. */
  restore(places: ReadonlyMap<Id, number>): void {
    const added = [...places]
      .filter(([id, place]) => this.#places.of(id) < 0 && place <= this.#places.length)
      .map(([id, place]) => ({ place, found: { id, era: this.#era } }));
    this.#places.insert(added);
    this.#tell();
  }

  #head(): number {
    let place = 0;
    while (this.#places.at(place)?.era === this.#era) place += 1;
    return place;
  }

  /** The server's place of what is shown at an index. */
  #place(index: number): number {
    let place = index;
    for (const gap of this.#hiddenPlaces()) {
      if (gap > place) break;
      place += 1;
    }
    return place;
  }

  #hiddenPlaces(): readonly number[] {
    if (!this.#hidden.size) return [];
    this.#gaps ??= [...this.#hidden.keys()]
      .map((id) => this.#places.of(id))
      .filter((place) => place >= 0)
      .sort((a, b) => a - b);
    return this.#gaps;
  }

  #tell(): void {
    this.#gaps = undefined;
    this.tell();
  }
}
