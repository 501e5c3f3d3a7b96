import { useLingui } from "@lingui/react/macro";
import {
  CalendarDays,
  Download,
  File,
  FileText,
  Image,
  type LucideIcon,
  Mail,
  Paperclip,
} from "lucide-react";
import { useState } from "react";
import { fileSize } from "../i18n/index.ts";
import type { EmailBody, Part } from "../jmap/index.ts";
import style from "./Attachments.module.css";
import { EventCard, Preview } from "./preview/index.ts";
import { type Kind, kindOf } from "./preview/kinds.ts";
import { useMail } from "./session.ts";

const ICONS: Readonly<Record<Kind, LucideIcon>> = {
  picture: Image,
  pdf: FileText,
  text: FileText,
  message: Mail,
  event: CalendarDays,
  other: File,
};

/** What came with a message: a press shows it here, where it can be shown, and each can be saved. */
export function Attachments({ body }: { body: Pick<EmailBody, "attachments" | "bodyValues"> }) {
  const { client } = useMail();
  const { t } = useLingui();
  const [shown, setShown] = useState<Part | undefined>();
  const files = body.attachments.filter((part) => part.blobId && !isInline(body, part));
  if (!files.length) return null;
  const events = files.filter((part) => kindOf(part) === "event");
  return (
    <>
      {events.slice(0, 3).map((part) => (
        <EventCard key={part.blobId} part={part} />
      ))}
      <ul className={style.files} aria-label={t`Attachments`}>
        {files.map((part) => {
          const kind = kindOf(part);
          const name =
            part.name ?? (kind === "message" ? `${t`Attached message`}.eml` : t`Unnamed file`);
          const Icon = kind === "other" ? Paperclip : ICONS[kind];
          const href = client.download(part.blobId ?? "", name, part.type);
          const words = (
            <>
              <Icon size={16} aria-hidden className={style.kind} />
              <span className={style.name}>{name}</span>
              <span className={style.size}>{fileSize(part.size)}</span>
            </>
          );
          return (
            <li key={part.blobId} className={style.file}>
              {kind === "other" || kind === "event" ? (
                <a className={style.open} href={href} download={name}>
                  {words}
                </a>
              ) : (
                <>
                  <button type="button" className={style.open} onClick={() => setShown(part)}>
                    {words}
                  </button>
                  <a
                    className={style.save}
                    href={href}
                    download={name}
                    aria-label={t`Save ${name}`}
                  >
                    <Download size={16} aria-hidden />
                  </a>
                </>
              )}
            </li>
          );
        })}
      </ul>
      <Preview part={shown} files={files} show={setShown} close={() => setShown(undefined)} />
    </>
  );
}

/** Whether a part is shown within the text. */
function isInline(body: Pick<EmailBody, "bodyValues">, { blobId }: Part): boolean {
  return Object.values(body.bodyValues).some(({ pictures }) =>
    pictures?.some((one) => one.blobId === blobId),
  );
}
