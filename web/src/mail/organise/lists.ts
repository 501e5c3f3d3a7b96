/** What a message says of the list that it came by. */

export interface ListFields {
  /** RFC 2919; "" where it came by none. */
  readonly list: string;
  /** Whether the server can leave it in one step (RFC 8058). */
  readonly oneStep: boolean;
  /** A page where one leaves it; "" where there is none. */
  readonly page: string;
}

const ID = "header:List-Id:asText";
const WHERE = "header:List-Unsubscribe:asURLs";
const HOW = "header:List-Unsubscribe-Post:asText";

/** Properties of an Email that say it. */
export const LIST_FIELDS = [ID, WHERE, HOW];

/** Of these properties, as they came. */
export function listFields(email: Readonly<Record<string, unknown>>): ListFields {
  const text = (name: string) => String(email[name] ?? "").trim();
  const urls = email[WHERE];
  const pages = Array.isArray(urls) ? urls.map(String).filter((url) => /^https:/i.test(url)) : [];
  const page = pages[0] ?? "";
  return {
    list: /<([^<>]+)>$/.exec(text(ID))?.[1]?.trim() ?? "",
    oneStep: page !== "" && /^List-Unsubscribe=One-Click$/i.test(text(HOW)),
    page,
  };
}
