/** Pictures of a message, fetched by the page and handed to the frame, which can fetch nothing itself. */
import type { Picture } from "../jmap/index.ts";

/** On their way at a time. */
const AT_ONCE = 4;
const TRIES = 3;

/** Whether a picture is of the web, and may be asked for. */
export function isRemote(picture: Picture): boolean {
  return picture.url !== undefined;
}

export type Content = Blob | string;
export type Give = (number: number, content: Content) => void;

/** Have pictures, by number, and give each as it comes. `download`: where a part is fetched from. */
export async function load(
  pictures: readonly (readonly [number: number, picture: Picture])[],
  download: (blob: string) => string,
  signal: AbortSignal,
  give: Give,
): Promise<void> {
  const waiting = pictures.values();
  async function work(): Promise<void> {
    for (const [number, { data, url, blobId }] of waiting) {
      const path = url ?? (blobId ? download(blobId) : undefined);
      const content = data ?? (path ? await fetched(path, signal) : undefined);
      if (signal.aborted) return;
      if (content) give(number, content);
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

async function fetched(path: string, signal: AbortSignal): Promise<Blob | undefined> {
  for (let n = 0; n < TRIES; n++) {
    try {
      const response = await fetch(path, { signal });
      if (response.ok) return await response.blob();
      if (response.status !== 429) return undefined;
    } catch {
      return undefined;
    }
    await new Promise((done) => setTimeout(done, 1_000));
  }
  return undefined;
}
