/** Photos as they are kept: square, and no larger than they are ever shown. */
const SIDE = 512;

/** The middle of a picture as a small JPEG; undefined where the browser cannot read it. What else the file says, such
    as where it was taken, is left out. */
export async function shrunk(file: Blob): Promise<Blob | undefined> {
  let picture: ImageBitmap;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return undefined;
  }
  const least = Math.min(picture.width, picture.height);
  const side = Math.min(SIDE, least);
  const canvas = document.createElement("canvas");
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  // What is see-through is white in JPEG.
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, side, side);
  const [x, y] = [(picture.width - least) / 2, (picture.height - least) / 2];
  context.drawImage(picture, x, y, least, least, 0, 0, side, side);
  picture.close();
  return (
    (await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.88))) ?? undefined
  );
}
