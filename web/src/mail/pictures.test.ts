import { afterEach, describe, expect, it, vi } from "vitest";
import type { Picture } from "../jmap/index.ts";
import { type Content, isRemote, load } from "./pictures.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

const download = (blob: string) => `/jmap/download/${blob}`;
const entries = (...pictures: Picture[]) => [...pictures.entries()];

async function loaded(
  pictures: readonly (readonly [number, Picture])[],
  signal = new AbortController().signal,
) {
  const found = new Map<number, Content>();
  await load(pictures, download, signal, (number, content) => found.set(number, content));
  return found;
}

describe("pictures of a message", () => {
  it("come from where each is, and what cannot be had is left out", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(path);
      return Promise.resolve(new Response("x", { status: path.endsWith("gone") ? 404 : 200 }));
    });
    const found = await loaded(
      entries(
        { data: "data:image/png;base64,AA==" },
        { blobId: "E1-2" },
        { url: "/jmap/image/a", host: "a.example" },
        { url: "/jmap/image/gone", host: "a.example" },
        { url: null, host: "a.example" },
      ),
    );
    expect([...found.keys()].sort()).toEqual([0, 1, 2]);
    expect(found.get(0)).toBe("data:image/png;base64,AA==");
    expect(asked.sort()).toEqual(["/jmap/download/E1-2", "/jmap/image/a", "/jmap/image/gone"]);
  });

  it("are asked for a few at a time", async () => {
    let [now, most] = [0, 0];
    vi.stubGlobal("fetch", async () => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      return new Response("x");
    });
    const many = Array.from({ length: 30 }, (_, n) => ({ blobId: `E1-${n}` }));
    expect((await loaded(entries(...many))).size).toBe(30);
    expect(most).toBe(4);
  });

  it("are not given any more once another message is read", async () => {
    const stop = new AbortController();
    vi.stubGlobal("fetch", () => {
      stop.abort();
      return Promise.resolve(new Response("x"));
    });
    expect((await loaded(entries({ blobId: "E1-2" }), stop.signal)).size).toBe(0);
  });

  it("are of the web where they have a path for that, be it none", () => {
    expect(isRemote({ url: null, host: "a.example" })).toBe(true);
    expect(isRemote({ blobId: "E1-2" })).toBe(false);
    expect(isRemote({ data: "data:image/png," })).toBe(false);
  });
});
