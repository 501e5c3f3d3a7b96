/** What the client and the frame of a message say to each other. */

/** Of a message that is printed: what stands above it. */
export interface Heading {
  readonly subject: string;
  readonly lines: readonly (readonly [label: string, value: string])[];
}

export type ToFrame =
  | {
      readonly kind: "show";
      readonly html: string;
      /** The page is dark; the message is shown so where its own colours allow. */
      readonly dark: boolean;
      /** Words of the button that shows what is quoted. */
      readonly fold: string;
      /** For a printer: nothing folded, and this above. */
      readonly heading?: Heading | undefined;
    }
  /** What a picture is, by its number: itself, or an address within the HTML (`data:`). */
  | { readonly kind: "picture"; readonly number: number; readonly content: Blob | string }
  | { readonly kind: "print" };

export type FromFrame =
  | { readonly kind: "ready" }
  /** `designed`: it has colours of its own, for light paper. */
  | { readonly kind: "shown"; readonly designed: boolean }
  | { readonly kind: "height"; readonly height: number }
  | { readonly kind: "key"; readonly key: string; readonly shiftKey: boolean }
  /** A link was followed that says another place than it leads to. */
  | { readonly kind: "link"; readonly href: string; readonly says: string; readonly leads: string }
  /** A link within the message: how far down it leads. */
  | { readonly kind: "within"; readonly top: number }
  | { readonly kind: "printed" };
