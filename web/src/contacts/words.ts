/** Why something was not done, in words that a person can act on. */
import type { I18n } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import { MethodError, RequestError } from "../jmap/index.ts";

export function wordsOf(error: unknown, i18n: I18n): string {
  if (error instanceof RequestError) {
    if (error.trouble === "offline") {
      return i18n._(msg`The server cannot be reached. Nothing was changed; try again later.`);
    }
    return i18n._(msg`The server is busy. Nothing was changed; try again in a moment.`);
  }
  if (!(error instanceof MethodError)) throw error;
  switch (error.type) {
    case "forbidden":
    case "accountReadOnly":
      return i18n._(msg`You may not change this address book.`);
    case "notFound":
      return i18n._(msg`This contact is not there any more.`);
    case "overQuota":
      return i18n._(msg`There is no room for more contacts. Delete some, then try again.`);
    case "tooLarge":
      return i18n._(msg`This is too large to be kept. Take a smaller photo, or a shorter note.`);
    default:
      return error.message;
  }
}
