/** What the client and the frame of a message say to each other. */

export type ToFrame = { readonly kind: "show"; readonly html: string };

export type FromFrame =
  | { readonly kind: "ready" }
  /** `remote`: pictures that would have been fetched from elsewhere. */
  | { readonly kind: "shown"; readonly remote: number }
  | { readonly kind: "height"; readonly height: number }
  | { readonly kind: "key"; readonly key: string; readonly shiftKey: boolean };
