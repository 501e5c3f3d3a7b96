import { Trans, useLingui } from "@lingui/react/macro";
import { X } from "lucide-react";
import { Fragment } from "react";
import { go, type MailPlace } from "../route/index.ts";
import { parse, without } from "../search/index.ts";
import style from "./SearchChips.module.css";
import { useTermWords } from "./searchWords.ts";

/** What is looked for, term by term, each of which can be taken out. Nothing where it is a word alone. */
export function SearchChips({ place, search }: { place: MailPlace; search: string }) {
  const { t } = useLingui();
  const words = useTermWords();
  const query = parse(search);
  const terms = query.flat();
  if (terms.length < 2 && (!terms[0] || (terms[0].meaning.kind === "text" && !terms[0].not))) {
    return null;
  }
  return (
    <ul className={style.chips} aria-label={t`What is looked for`}>
      {query.map((group) => (
        <li key={group[0]?.start} className={style.group}>
          {group.map((term, n) => {
            const said = words(term);
            return (
              <Fragment key={term.start}>
                {n ? (
                  <span className={style.or}>
                    <Trans>or</Trans>
                  </span>
                ) : null}
                <span className={style.chip} data-not={term.not || undefined}>
                  <span className={style.said}>{said}</span>
                  <button
                    type="button"
                    className={style.remove}
                    aria-label={t`Take out “${said}”`}
                    onClick={() =>
                      go({
                        ...place,
                        search: without(search, term) || undefined,
                        message: undefined,
                      })
                    }
                  >
                    <X size={13} aria-hidden />
                  </button>
                </span>
              </Fragment>
            );
          })}
        </li>
      ))}
    </ul>
  );
}
