import { Trans, useLingui } from "@lingui/react/macro";
import { Ellipsis } from "lucide-react";
import { useMemo, useState } from "react";
import type { BodyValue, EmailBody, Part } from "../jmap/index.ts";
import { Button, Notice } from "../ui/index.ts";
import style from "./Body.module.css";
import { HtmlBody, type Reading } from "./HtmlBody.tsx";
import { type Block, blocks, pieces } from "./text.ts";

export interface BodyProps {
  body: Pick<EmailBody, "htmlBody" | "bodyValues">;
  reading: Reading;
  /** Ask for all of a text that was cut; none where there is no more to be had. */
  more?: (() => void) | undefined;
}

/** The text of a message, in the order of its parts. */
export function Body({ body, reading, more }: BodyProps) {
  const parts = body.htmlBody.filter((part) => part.partId && body.bodyValues[part.partId]);
  if (!parts.length) {
    return (
      <p className={style.none}>
        <Trans>This message has no text.</Trans>
      </p>
    );
  }
  return parts.map((part) => (
    <TextPart key={part.partId} part={part} body={body} reading={reading} more={more} />
  ));
}

const EMPTY: BodyValue = { value: "", isTruncated: false, isEncodingProblem: false };

function TextPart({ part, body, reading, more }: BodyProps & { part: Part }) {
  const value = body.bodyValues[part.partId ?? ""] ?? EMPTY;
  return (
    <>
      {part.type === "text/html" ? (
        <HtmlBody value={value} reading={reading} />
      ) : (
        <PlainBody text={value.value} />
      )}
      {value.isTruncated ? (
        <Notice>
          <Trans>This message is very long; its beginning is shown.</Trans>{" "}
          {more ? (
            <Button kind="quiet" onPress={more}>
              <Trans>Show all</Trans>
            </Button>
          ) : null}
        </Notice>
      ) : null}
    </>
  );
}

function PlainBody({ text }: { text: string }) {
  const found = useMemo(() => blocks(text), [text]);
  const last = found.length - 1;
  return (
    <div className={style.plain}>
      {found.map((block, n) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a text does not change
        <TextBlock key={n} block={block} folded={n === last && n > 0} />
      ))}
    </div>
  );
}

function TextBlock({ block, folded }: { block: Block; folded: boolean }) {
  const { t } = useLingui();
  const [shown, setShown] = useState(!folded || !block.quoted);
  if (!shown) {
    return (
      <button
        type="button"
        className={style.fold}
        aria-label={t`Show what is quoted`}
        title={t`Show what is quoted`}
        onClick={() => setShown(true)}
      >
        <Ellipsis size={18} aria-hidden />
      </button>
    );
  }
  const linked = pieces(block.text).map((piece, n) =>
    piece.href ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: a text does not change
      <a key={n} href={piece.href} target="_blank" rel="noopener noreferrer">
        {piece.text}
      </a>
    ) : (
      piece.text
    ),
  );
  return block.quoted ? (
    <blockquote className={style.quote}>{linked}</blockquote>
  ) : (
    <div>{linked}</div>
  );
}
