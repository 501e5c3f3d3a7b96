import { Trans, useLingui } from "@lingui/react/macro";
import { Ellipsis } from "lucide-react";
import { Fragment, useMemo, useState } from "react";
import type { BodyValue, EmailBody, Part } from "../jmap/index.ts";
import { Button, Notice } from "../ui/index.ts";
import style from "./Body.module.css";
import { HtmlBody, type Reading } from "./HtmlBody.tsx";
import { type Block, blocks, pieces } from "./text.ts";

export interface BodyProps {
  /** Nothing while it is on its way. */
  body: Pick<EmailBody, "htmlBody" | "bodyValues"> | undefined;
  reading: Reading;
  /** Ask for all of a text that was cut; none where there is no more to be had. */
  more?: (() => void) | undefined;
}

/** The text of a message, in the order of its parts. Where other messages take its place, what shows HTML stays
    there from one to the next. */
export function Body({ body, reading, more }: BodyProps) {
  const parts = body?.htmlBody.filter(({ partId }) => partId && body.bodyValues[partId]) ?? [];
  const framed = parts.findIndex(isHtml);
  const shown = parts.map((part, n) => {
    const value = body?.bodyValues[part.partId ?? ""] ?? EMPTY;
    return (
      <Fragment key={n === framed ? "framed" : n}>
        {isHtml(part) ? (
          <HtmlBody value={value} reading={reading} />
        ) : (
          <PlainBody key={reading.message} text={value.value} />
        )}
        {value.isTruncated ? <Cut more={more} /> : null}
      </Fragment>
    );
  });
  if (framed < 0 && reading.spare) {
    shown.push(
      <Fragment key="framed">
        <HtmlBody value={undefined} reading={reading} />
        {null}
      </Fragment>,
    );
  }
  return (
    <>
      {shown}
      {body && !parts.length ? (
        <p className={style.none}>
          <Trans>This message has no text.</Trans>
        </p>
      ) : null}
    </>
  );
}

export const isHtml = ({ type }: Part) => type === "text/html";

const EMPTY: BodyValue = { value: "", isTruncated: false, isEncodingProblem: false };

function Cut({ more }: Pick<BodyProps, "more">) {
  return (
    <Notice>
      <Trans>This message is very long; its beginning is shown.</Trans>{" "}
      {more ? (
        <Button kind="quiet" onPress={more}>
          <Trans>Show all</Trans>
        </Button>
      ) : null}
    </Notice>
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
