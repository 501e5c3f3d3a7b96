import { useLingui } from "@lingui/react/macro";
import { useMemo } from "react";
import { fullDate } from "../i18n/index.ts";
import type { Address, Email, EmailBody, Picture } from "../jmap/index.ts";
import { MessageFrame } from "./MessageFrame.tsx";

const LETTERS: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

/** All texts of a message as one, and the pictures of all. */
export function joined(body: Pick<EmailBody, "htmlBody" | "bodyValues">): {
  html: string;
  pictures: readonly Picture[];
} {
  const pictures: Picture[] = [];
  const html = body.htmlBody.flatMap((part) => {
    const value = body.bodyValues[part.partId ?? ""];
    if (!value) return [];
    if (part.type !== "text/html") {
      return `<pre>${value.value.replace(/[&<>]/g, (one) => LETTERS[one] ?? "")}</pre>`;
    }
    const before = pictures.length;
    pictures.push(...(value.pictures ?? []));
    return value.value.replace(
      / data-(picture|background)="(\d+)"/g,
      (_, name: string, number: string) => ` data-${name}="${before + Number(number)}"`,
    );
  });
  return { html: html.join("<hr>"), pictures };
}

const named = (people: readonly Address[] | null) =>
  (people ?? []).map(({ name, email }) => (name ? `${name} <${email}>` : email)).join(", ");

export interface PrintProps {
  email: Email;
  body: EmailBody;
  /** Pictures of the web are shown, and so printed. */
  remote: boolean;
  done: () => void;
}

/** A message on its way to the printer, through a frame as it is read in. */
export function Print({ email, body, remote, done }: PrintProps) {
  const { t } = useLingui();
  const { html, pictures } = useMemo(() => joined(body), [body]);
  const heading = useMemo(
    () => ({
      subject: email.subject?.trim() || t`(no subject)`,
      lines: (
        [
          [t`From`, named(email.from)],
          [t`To`, named(email.to)],
          [t`Cc`, named(body.cc)],
          [t`Date`, fullDate(body.sentAt ?? email.receivedAt)],
        ] as const
      ).filter(([, value]) => value),
    }),
    [email, body, t],
  );
  const printing = useMemo(() => ({ heading, done }), [heading, done]);
  return (
    <MessageFrame
      html={html}
      pictures={pictures}
      remote={remote}
      dark={false}
      title={t`Text of the message`}
      fold=""
      printing={printing}
    />
  );
}
