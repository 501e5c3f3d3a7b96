import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { Ellipsis, ImageOff } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import type { FromFrame, ToFrame } from "../frame/index.ts";
import type { EmailBody, Part } from "../jmap/index.ts";
import { Notice } from "../ui/index.ts";
import style from "./Body.module.css";
import { type Block, blocks, pieces } from "./text.ts";

/** Pixels that a frame may be high; the rest is scrolled within it. */
const TALLEST = 60_000;

/** The text of a message, in the order of its parts. */
export function Body({ body }: { body: EmailBody }) {
  const parts = body.htmlBody.filter((part) => part.partId && body.bodyValues[part.partId]);
  if (!parts.length) {
    return (
      <p className={style.none}>
        <Trans>This message has no text.</Trans>
      </p>
    );
  }
  return parts.map((part) => <TextPart key={part.partId} part={part} body={body} />);
}

function TextPart({ part, body }: { part: Part; body: EmailBody }) {
  const { value, isTruncated } = body.bodyValues[part.partId ?? ""] ?? {
    value: "",
    isTruncated: false,
  };
  return (
    <>
      {part.type === "text/html" ? <HtmlBody html={value} /> : <PlainBody text={value} />}
      {isTruncated ? (
        <Notice>
          <Trans>This message is very long; its beginning is shown.</Trans>
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

function HtmlBody({ html }: { html: string }) {
  const { t } = useLingui();
  const frame = useRef<HTMLIFrameElement>(null);
  const [remote, setRemote] = useState(0);
  const [height, setHeight] = useState(120);

  useEffect(() => {
    const show = () => {
      const message: ToFrame = { kind: "show", html };
      // Its origin is nobody's, so there is none to name; the content is the sender's and no secret to it.
      frame.current?.contentWindow?.postMessage(message, "*");
    };
    function heard({ source, data }: MessageEvent<FromFrame>): void {
      if (source !== frame.current?.contentWindow) return;
      switch (data?.kind) {
        case "ready":
          show();
          break;
        case "shown":
          setRemote(Number(data.remote) || 0);
          break;
        case "height":
          setHeight(Math.min(TALLEST, Math.max(24, Number(data.height) || 24)));
          break;
        case "key":
          dispatchEvent(new KeyboardEvent("keydown", { key: String(data.key), cancelable: true }));
      }
    }
    addEventListener("message", heard);
    show();
    return () => removeEventListener("message", heard);
  }, [html]);

  return (
    <div className={style.html}>
      {remote ? (
        <p className={style.blocked}>
          <ImageOff size={15} aria-hidden />
          <Plural
            value={remote}
            one="# picture from elsewhere was not loaded"
            other="# pictures from elsewhere were not loaded"
          />
        </p>
      ) : null}
      <div className={style.paper}>
        <iframe
          ref={frame}
          src="/frame.html"
          sandbox="allow-scripts allow-popups allow-popups-to-escape-sandbox"
          title={t`Text of the message`}
          className={style.frame}
          style={{ height }}
        />
      </div>
    </div>
  );
}
