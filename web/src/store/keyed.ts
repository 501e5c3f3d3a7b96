/** Objects by id, each of which can be listened to alone. */
export class Keyed<T> {
  readonly #objects = new Map<string, T>();
  readonly #listeners = new Map<string, Set<() => void>>();

  get(id: string): T | undefined {
    return this.#objects.get(id);
  }

  has(id: string): boolean {
    return this.#objects.has(id);
  }

  values(): IterableIterator<T> {
    return this.#objects.values();
  }

  keys(): IterableIterator<string> {
    return this.#objects.keys();
  }

  set(id: string, value: T): void {
    if (this.#objects.get(id) === value) return;
    this.#objects.set(id, value);
    this.tell(id);
  }

  delete(id: string): void {
    if (this.#objects.delete(id)) this.tell(id);
  }

  /** Calls `heard` after each change of an object, until the function returned is called. */
  subscribe(id: string, heard: () => void): () => void {
    let heards = this.#listeners.get(id);
    if (!heards) {
      heards = new Set();
      this.#listeners.set(id, heards);
    }
    heards.add(heard);
    return () => {
      heards.delete(heard);
      if (!heards.size && this.#listeners.get(id) === heards) this.#listeners.delete(id);
    };
  }

  tell(id: string): void {
    for (const heard of [...(this.#listeners.get(id) ?? [])]) heard();
  }
}

/** Something without parts that can be listened to. */
export class Signal {
  readonly #heards = new Set<() => void>();
  version = 0;

  readonly subscribe = (heard: () => void): (() => void) => {
    this.#heards.add(heard);
    return () => void this.#heards.delete(heard);
  };

  tell(): void {
    this.version += 1;
    for (const heard of [...this.#heards]) heard();
  }
}
