/** Content of attachments, fetched by the page with its session. */
import { useEffect, useState } from "react";
import type { Part } from "../../jmap/index.ts";
import { useMail } from "../session.ts";

/** Nothing while it is on its way. */
export type Found<T> = T | "failed" | undefined;

/** Ask for something of a part, and again when it is another one. */
function useAsked<T>(part: Part, ask: (path: string, signal: AbortSignal) => Promise<T>): Found<T> {
  const { client } = useMail();
  const path = client.download(part.blobId ?? "", "file", "application/octet-stream");
  const [found, setFound] = useState<{ path: string; value: Found<T> }>();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same question of another part
  useEffect(() => {
    const stop = new AbortController();
    ask(path, stop.signal).then(
      (value) => stop.signal.aborted || setFound({ path, value }),
      () => stop.signal.aborted || setFound({ path, value: "failed" }),
    );
    return () => stop.abort();
  }, [path]);
  return found?.path === path ? found.value : undefined;
}

/** An address within this page of the whole content, as a type of ours. */
export function useAddress(part: Part, type: string): Found<string> {
  const blob = useAsked(part, async (path, signal) => {
    const response = await fetch(path, { signal });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return (await response.blob()).slice(0, undefined, type);
  });
  const [address, setAddress] = useState<string>();
  useEffect(() => {
    if (!(blob instanceof Blob)) return;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => {
      setAddress(undefined);
      URL.revokeObjectURL(made);
    };
  }, [blob]);
  return blob === "failed" ? "failed" : address;
}

/** The beginning of a text, and whether that is all of it. */
export interface Beginning {
  readonly text: string;
  readonly whole: boolean;
}

export function useText(part: Part, most: number): Found<Beginning> {
  return useAsked(part, async (path, signal) => {
    const response = await fetch(path, { signal });
    if (!response.ok || !response.body) throw new Error(`${path}: ${response.status}`);
    const reader = response.body.getReader();
    const read = new TextDecoder(codec(part.charset));
    let [text, octets] = ["", 0];
    while (octets < most) {
      const { done, value } = await reader.read();
      if (done) return { text: text + read.decode(), whole: true };
      octets += value.length;
      text += read.decode(value, { stream: true });
    }
    await reader.cancel();
    return { text, whole: false };
  });
}

function codec(charset: string | null): string {
  try {
    return new TextDecoder(charset ?? "utf-8").encoding;
  } catch {
    return "utf-8";
  }
}
