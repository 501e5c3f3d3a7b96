import { useEffect, useMemo, useRef, useState } from "react";
import type { FromFrame, Heading, ToFrame } from "../frame/index.ts";
import type { Picture } from "../jmap/index.ts";
import { classes } from "../ui/index.ts";
import style from "./MessageFrame.module.css";
import { isRemote, load } from "./pictures.ts";
import { useMail } from "./session.ts";

/** Pixels that a frame may be high; the rest is scrolled within it. */
const TALLEST = 60_000;
/** Frames that wait for messages to come, made one after the other, a while (ms) after a message is seen; and those
    that were left, at most. */
const SPARES = 2;
const WHILE = 100;
const MOST_LEFT = 3;
const SANDBOX = "allow-scripts allow-popups allow-popups-to-escape-sandbox";

export interface MisleadingLink {
  readonly href: string;
  readonly says: string;
  readonly leads: string;
}

export interface MessageFrameProps {
  /** Nothing: only the frames of messages to come are there. */
  html: string | undefined;
  pictures: readonly Picture[];
  /** Whether those of the web are fetched. */
  remote: boolean;
  /** The page is dark. */
  dark: boolean;
  /** Its own colours all the same. */
  original?: boolean;
  title: string;
  /** Words of the button that shows what is quoted. */
  fold: string;
  misled?: (link: MisleadingLink) => void;
  /** Have frames of the next messages ready: each message has its own. */
  spare?: boolean;
  /** To be printed at once, with this above, and out of sight; told when that is done. */
  printing?: { heading: Heading; done: () => void } | undefined;
}

/** HTML of a message in a frame of its own, which can reach nothing: pictures are handed to it. */
export function MessageFrame(props: MessageFrameProps) {
  const { html, pictures, remote, title, fold, misled, printing, spare } = props;
  const dark = props.dark && !props.original;
  const { client } = useMail();
  /** The frame of this message by its number; those after it, up to the last that was made, are spare. */
  const [number, setNumber] = useState(0);
  const [made, setMade] = useState(0);
  /** The first that is still there. What was shown before goes a while later: an end of a frame holds up its whole
      process, in which the next is shown. */
  const [kept, setKept] = useState(0);
  const ready = useRef(new Set<number>());
  const frames = useRef(new Map<number, HTMLIFrameElement>());
  const [height, setHeight] = useState(120);
  const [designed, setDesigned] = useState(false);
  /** Counts what was shown; 0 while nothing is. */
  const [shown, setShown] = useState(0);
  const given = useRef(new Set<number>());
  const [has, setHas] = useState(html);
  if (has !== html) {
    setHas(html);
    // Where nothing was shown, the frame is as good as new.
    if (has !== undefined) setNumber(number + 1);
    setShown(0);
    setDesigned(false);
  }
  const latest = useRef({ misled, done: printing?.done });
  latest.current = { misled, done: printing?.done };
  const heading = printing?.heading;

  useEffect(() => {
    const own = () => frames.current.get(number)?.contentWindow;
    // The frame's origin is nobody's, so there is none to name; the content is the sender's and no secret to it.
    const post = (message: ToFrame) => own()?.postMessage(message, "*");
    const show = () => html !== undefined && post({ kind: "show", html, dark, fold, heading });
    let waiting: ReturnType<typeof setTimeout> | undefined;
    const more = () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        setKept(number);
        setMade((before) => {
          const last = Math.max(before, number);
          const next = last === number || (last < number + SPARES && ready.current.has(last));
          return next ? last + 1 : last;
        });
      }, WHILE);
    };
    function heard({ source, data }: MessageEvent<FromFrame>): void {
      if (source !== own()) {
        const from = [...frames.current].find(([, frame]) => frame.contentWindow === source);
        if (!from || data?.kind !== "ready") return;
        ready.current.add(from[0]);
        if (spare) more();
        return;
      }
      switch (data?.kind) {
        case "ready":
          show();
          break;
        case "shown":
          given.current.clear();
          setDesigned(data.designed === true);
          setShown((times) => times + 1);
          if (spare) more();
          break;
        case "height":
          setHeight(Math.min(TALLEST, Math.max(24, Number(data.height) || 24)));
          break;
        case "key":
          dispatchEvent(
            new KeyboardEvent("keydown", {
              key: String(data.key),
              shiftKey: data.shiftKey === true,
              cancelable: true,
            }),
          );
          break;
        case "link":
          latest.current.misled?.({
            href: String(data.href),
            says: String(data.says),
            leads: String(data.leads),
          });
          break;
        case "within":
          scrollTo(frames.current.get(number) ?? null, Number(data.top) || 0);
          break;
        case "printed":
          latest.current.done?.();
      }
    }
    addEventListener("message", heard);
    // It may have said that it is ready before anybody heard.
    show();
    if (spare && html === undefined) more();
    return () => {
      clearTimeout(waiting);
      removeEventListener("message", heard);
    };
  }, [number, html, dark, fold, heading, spare]);

  const wanted = useMemo(
    () => [...pictures.entries()].filter(([, one]) => remote || !isRemote(one)),
    [pictures, remote],
  );
  useEffect(() => {
    if (!shown) return;
    const stop = new AbortController();
    const post = (message: ToFrame) =>
      frames.current.get(number)?.contentWindow?.postMessage(message, "*");
    const download = (blob: string) => client.download(blob, "picture", "application/octet-stream");
    const missing = wanted.filter(([number]) => !given.current.has(number));
    void load(missing, download, stop.signal, (number, content) => {
      given.current.add(number);
      post({ kind: "picture", number, content });
    }).then(() => {
      if (heading && !stop.signal.aborted) post({ kind: "print" });
    });
    return () => stop.abort();
  }, [shown, number, wanted, client, heading]);

  const first = spare ? Math.max(kept, number - MOST_LEFT) : number;
  return (
    <div
      className={classes(
        style.paper,
        props.dark && (designed || props.original) && style.white,
        heading && style.away,
      )}
      aria-hidden={heading ? true : undefined}
    >
      {/* Spares are next by their keys: never moved, which would load them anew. */}
      {Array.from({ length: Math.max(made, number) - first + 1 }, (_, n) => first + n).map(
        (one) => {
          const waits = one !== number || html === undefined;
          return (
            <iframe
              key={one}
              ref={(frame) => {
                if (frame) frames.current.set(one, frame);
                else frames.current.delete(one);
              }}
              src="/frame.html"
              sandbox={heading ? `${SANDBOX} allow-modals` : SANDBOX}
              title={title}
              tabIndex={heading || waits ? -1 : undefined}
              aria-hidden={waits || undefined}
              data-spare={waits || undefined}
              className={classes(style.frame, waits && style.spare)}
              style={{ height }}
            />
          );
        },
      )}
    </div>
  );
}

function scrollTo(frame: HTMLIFrameElement | null, top: number): void {
  let at: HTMLElement | null = frame?.parentElement ?? null;
  while (at && !/auto|scroll/.test(getComputedStyle(at).overflowY)) at = at.parentElement;
  if (!at || !frame) return;
  const place = frame.getBoundingClientRect().top - at.getBoundingClientRect().top;
  at.scrollBy({ top: place + top - 16 });
}
