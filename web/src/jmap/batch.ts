/** Several calls that go as one request; a later one may refer to answers of an earlier one. */
import { MethodError, RequestError } from "./errors.ts";
import type { Asked, MethodName, Methods, Reference } from "./methods.ts";

export type Invocation = [name: string, args: object, id: string];

/** A call of a batch, by which its answer is found. */
export class Call<M extends MethodName> {
  readonly name: M;
  readonly id: string;
  constructor(name: M, id: string) {
    this.name = name;
    this.id = id;
  }

  /** What its answer will have at a path, such as "/list/*\/threadId". */
  ref(path: string): Reference {
    return { resultOf: this.id, name: this.name, path };
  }
}

export class Batch {
  readonly calls: Invocation[] = [];
  readonly #account: string;

  constructor(account: string) {
    this.#account = account;
  }

  add<M extends MethodName>(name: M, args: Asked<Methods[M][0]>): Call<M> {
    const call = new Call(name, String(this.calls.length));
    // Subscriptions are of who signed in, not of an account (RFC 8620 §7.2).
    const of = name.startsWith("PushSubscription/") ? {} : { accountId: this.#account };
    this.calls.push([name, { ...of, ...args }, call.id]);
    return call;
  }
}

/** The answers of a batch. */
export class Answers {
  readonly #byId = new Map<string, Invocation>();

  constructor(answers: readonly Invocation[]) {
    // A call may have several answers; the first is its own (RFC 8620 §3.4).
    for (const answer of answers) {
      if (!this.#byId.has(answer[2])) this.#byId.set(answer[2], answer);
    }
  }

  /** The answer of a call. Throws `MethodError`. */
  of<M extends MethodName>(call: Call<M>): Methods[M][1] {
    const found = this.#byId.get(call.id);
    if (!found) throw new RequestError("refused", `${call.name} was not answered`);
    const [name, args] = found;
    if (name === "error") {
      const { type, description } = args as { type?: string; description?: string };
      throw new MethodError(type ?? "serverFail", description);
    }
    return args as Methods[M][1];
  }

  /** The same, or nothing where the call failed. */
  maybe<M extends MethodName>(call: Call<M>): Methods[M][1] | undefined {
    try {
      return this.of(call);
    } catch (error) {
      if (error instanceof MethodError) return undefined;
      throw error;
    }
  }
}
