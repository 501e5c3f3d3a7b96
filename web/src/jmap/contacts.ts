/** Address books and their cards (RFC 9610): cards are JSContact (RFC 9553), of which what is shown is named. */
import type { GetAnswer, QueryAnswer, SetAnswer } from "./methods.ts";
import type { Comparator, Filter, Id, Patch } from "./types.ts";

export interface AddressBook {
  readonly id: Id;
  readonly name: string;
  readonly description: string | null;
  readonly sortOrder: number;
  readonly isDefault: boolean;
  readonly myRights: {
    readonly mayRead: boolean;
    readonly mayWrite: boolean;
    readonly mayShare: boolean;
    readonly mayDelete: boolean;
  };
}

/** Things of a card that it has several of, by keys that stay. */
export type Several<T> = Readonly<Record<string, T>>;

/** What several have in common: where it is used, and a name that somebody gave it. */
export interface Labelled {
  readonly contexts?: Readonly<Record<string, boolean>>;
  readonly label?: string;
  readonly pref?: number;
}

export interface NameComponent {
  readonly kind: string;
  readonly value: string;
}

export interface CardName {
  readonly full?: string;
  readonly components?: readonly NameComponent[];
}

export interface CardEmail extends Labelled {
  readonly address: string;
}

export interface CardPhone extends Labelled {
  readonly number: string;
  readonly features?: Readonly<Record<string, boolean>>;
}

export interface CardAddress extends Labelled {
  readonly full?: string;
  readonly components?: readonly NameComponent[];
}

export interface CardMedia {
  readonly kind: string;
  readonly blobId?: Id;
  readonly uri?: string;
  readonly mediaType?: string;
}

export interface Card {
  readonly id: Id;
  readonly uid: string;
  readonly addressBookIds: Readonly<Record<Id, boolean>>;
  readonly kind?: string;
  readonly name?: CardName | null;
  readonly emails?: Several<CardEmail> | null;
  readonly phones?: Several<CardPhone> | null;
  readonly addresses?: Several<CardAddress> | null;
  readonly organizations?: Several<{
    readonly name?: string;
    readonly units?: readonly { readonly name: string }[];
  }> | null;
  readonly titles?: Several<{ readonly name: string; readonly kind?: string }> | null;
  readonly nicknames?: Several<{ readonly name: string }> | null;
  readonly links?: Several<Labelled & { readonly uri: string }> | null;
  readonly onlineServices?: Several<
    Labelled & { readonly service?: string; readonly user?: string; readonly uri?: string }
  > | null;
  readonly anniversaries?: Several<{
    readonly kind: string;
    readonly date: {
      readonly year?: number;
      readonly month?: number;
      readonly day?: number;
      readonly utc?: string;
    };
  }> | null;
  readonly notes?: Several<{ readonly note: string }> | null;
  readonly media?: Several<CardMedia> | null;
  /** Of a group: its members by uid. */
  readonly members?: Readonly<Record<string, boolean>> | null;
}

interface OfAccount {
  /** In place of one's own. */
  accountId?: Id;
}
interface Get extends OfAccount {
  ids: readonly Id[] | null;
  properties?: readonly string[];
}
interface Set extends OfAccount {
  create?: Readonly<Record<Id, object>>;
  update?: Readonly<Record<Id, Patch>>;
  destroy?: readonly Id[];
}
interface Query extends OfAccount {
  filter?: Filter | null;
  sort?: readonly Comparator[];
  position?: number;
  limit?: number;
  calculateTotal?: boolean;
}

export interface CardsImported {
  readonly created: readonly Id[];
  readonly updated: number;
  readonly same: number;
  readonly refused: number;
  /** Why, for the first of those that were refused. */
  readonly problems: readonly string[];
}

export interface ContactMethods {
  "AddressBook/get": [Get, GetAnswer<AddressBook>];
  "AddressBook/set": [Set & { onDestroyRemoveContents?: boolean }, SetAnswer<AddressBook>];
  "ContactCard/query": [Query, QueryAnswer];
  "ContactCard/get": [Get, GetAnswer<Card>];
  "ContactCard/set": [Set, SetAnswer<Card>];
  /** Of this server (urn:malleposte:params:jmap:vcard). */
  "ContactCard/import": [OfAccount & { blobId: Id; addressBookId: Id }, CardsImported];
}
