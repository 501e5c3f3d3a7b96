/** Pictures of the message, as they are handed in: each is put where its number stands. */

const RASTER = /^data:image\/(?:png|jpe?g|gif|webp|bmp|avif|x-icon)[;,]/i;
const KINDS = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/bmp",
  "image/avif",
  "image/x-icon",
]);

/** An address that a picture is shown by; none where it is no picture made of points. */
function addressOf(content: Blob | string): string | undefined {
  if (typeof content === "string") return RASTER.test(content) ? content : undefined;
  // Browsers look at the octets; a name that they do not know as a picture would make it something else.
  const type = KINDS.has(content.type) ? content.type : "image/png";
  return URL.createObjectURL(content.slice(0, content.size, type));
}

/** Told when all places have it, or show that they have not. */
export async function place(
  mail: HTMLElement,
  number: number,
  content: Blob | string,
): Promise<void> {
  const address = addressOf(content);
  if (!address) return;
  for (const behind of mail.querySelectorAll<HTMLElement>(`[data-background="${number}"]`)) {
    behind.style.backgroundImage = `url("${address}")`;
  }
  const loading: Promise<unknown>[] = [];
  for (const picture of mail.querySelectorAll<HTMLImageElement>(`img[data-picture="${number}"]`)) {
    picture.src = address;
    loading.push(picture.decode().catch(() => {}));
  }
  await Promise.all(loading);
}
