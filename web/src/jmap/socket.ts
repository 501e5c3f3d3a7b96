/** News of the server over a WebSocket (RFC 8887 §4.3.5). Over HTTP/1.1 a browser has six connections to a server
    for all its windows: six event sources would leave none for anything else, sockets are not counted there. */
import type { Source, Timers } from "./push.ts";

/** Of `WebSocket`, what is used here. */
export interface Wire {
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  send(text: string): void;
  close(): void;
}

const OPEN = 1;
const CLOSED = 2;
/** Until a question must be answered; a computer that slept does not notice that its connection is gone. */
const PATIENCE = 15_000;
const ECHO = {
  "@type": "Request",
  using: ["urn:ietf:params:jmap:core"],
  methodCalls: [["Core/echo", {}, "0"]],
};

export class SocketSource implements Source {
  readyState = 0;
  readonly #wire: Wire;
  readonly #timers: Timers;
  readonly #every: number;
  readonly #heard = new Map<string, (event: MessageEvent<string>) => void>();
  #timer: unknown;
  #listens = false;

  /** `types`: kinds that are told of; `every`: milliseconds between two questions whether the server is there. */
  constructor(wire: Wire, types: readonly string[], every: number, timers: Timers) {
    this.#wire = wire;
    this.#timers = timers;
    this.#every = every;
    wire.onopen = () => {
      this.readyState = OPEN;
      this.#say({ "@type": "WebSocketPushEnable", dataTypes: types });
      // Answered when that is done: what changes from then on is told.
      this.#say(ECHO);
      this.#ask();
    };
    wire.onmessage = ({ data }) => {
      this.#ask();
      const told = typeof data === "string" ? kind(data) : undefined;
      if (!this.#listens && told === "Response") {
        this.#listens = true;
        this.#tell("open");
      }
      if (told === "StateChange") this.#tell("state");
    };
    wire.onclose = () => this.#end();
  }

  addEventListener(name: string, heard: (event: MessageEvent<string>) => void): void {
    this.#heard.set(name, heard);
  }

  close(): void {
    this.#heard.clear();
    this.#end();
    this.#wire.close();
  }

  /** Ask later whether the server is there, and go if it does not say so. */
  #ask(): void {
    this.#timers.clear(this.#timer);
    this.#timer = this.#timers.set(() => {
      this.#say(ECHO);
      this.#timer = this.#timers.set(() => {
        this.#end();
        this.#wire.close();
      }, PATIENCE);
    }, this.#every);
  }

  #end(): void {
    this.#timers.clear(this.#timer);
    if (this.readyState === CLOSED) return;
    this.readyState = CLOSED;
    this.#tell("error");
  }

  #say(message: object): void {
    if (this.readyState === OPEN) this.#wire.send(JSON.stringify(message));
  }

  #tell(name: string): void {
    this.#heard.get(name)?.(new MessageEvent(name));
  }
}

function kind(text: string): unknown {
  try {
    return (JSON.parse(text) as { "@type"?: unknown })["@type"];
  } catch {
    return undefined;
  }
}

/** Opens sockets; an event source where none could ever be opened: what stands between may not pass them. */
export function newsFrom(
  socket: () => Wire,
  events: () => Source,
  types: readonly string[],
  every: number,
  timers: Timers,
): () => Source {
  let works = false;
  let failures = 0;
  return () => {
    if (!works && failures > 1) return events();
    let wire: Wire;
    try {
      wire = socket();
    } catch {
      failures = 2;
      return events();
    }
    const source = new SocketSource(wire, types, every, timers);
    const opened = wire.onopen;
    const closed = wire.onclose;
    let open = false;
    wire.onopen = (event) => {
      works = open = true;
      opened?.(event);
    };
    wire.onclose = (event) => {
      if (!open) failures += 1;
      closed?.(event);
    };
    return source;
  };
}
