import { Trans, useLingui } from "@lingui/react/macro";
import { ChevronLeft, ChevronRight, Download } from "lucide-react";
import type { ReactNode } from "react";
import { fileSize } from "../../i18n/index.ts";
import type { Part } from "../../jmap/index.ts";
import { Dialog, IconButton, Notice, Skeleton } from "../../ui/index.ts";
import { useMail } from "../session.ts";
import { type Found, useAddress, useText } from "./content.ts";
import { kindOf } from "./kinds.ts";
import { MessagePreview } from "./MessagePreview.tsx";
import style from "./Preview.module.css";

/** Octets of a text that are shown. */
const MOST_TEXT = 200_000;

export interface PreviewProps {
  /** What is shown; nothing: the preview is closed. */
  part: Part | undefined;
  /** All that came with it. */
  files: readonly Part[];
  show: (part: Part) => void;
  close: () => void;
}

/** An attachment, shown over the page. */
export function Preview({ part, files, show, close }: PreviewProps) {
  const { t } = useLingui();
  const { client } = useMail();
  const shown = files.filter((one) => !["other", "event"].includes(kindOf(one)));
  const at = shown.findIndex((one) => one.blobId === part?.blobId);
  const before = shown[at - 1];
  const after = shown[at + 1];
  const isMessage = part !== undefined && kindOf(part) === "message";
  const name = part?.name ?? (isMessage ? `${t`Attached message`}.eml` : t`Unnamed file`);
  return (
    <Dialog open={Boolean(part)} close={close} title={name} closeLabel={t`Close`} size="large">
      {part ? (
        <div className={style.preview}>
          <div className={style.tools}>
            <span className={style.size}>{fileSize(part.size)}</span>
            {shown.length > 1 ? (
              <>
                <IconButton
                  icon={ChevronLeft}
                  label={t`The file before`}
                  isDisabled={!before}
                  onPress={() => before && show(before)}
                />
                <IconButton
                  icon={ChevronRight}
                  label={t`The next file`}
                  isDisabled={!after}
                  onPress={() => after && show(after)}
                />
              </>
            ) : null}
            <a
              className={style.save}
              href={client.download(part.blobId ?? "", name, part.type)}
              download={name}
            >
              <Download size={16} aria-hidden />
              <Trans>Save</Trans>
            </a>
          </div>
          <Content key={part.blobId} part={part} name={name} />
        </div>
      ) : null}
    </Dialog>
  );
}

function Content({ part, name }: { part: Part; name: string }) {
  switch (kindOf(part)) {
    case "picture":
      return <PicturePreview part={part} name={name} />;
    case "pdf":
      return <PdfPreview part={part} name={name} />;
    case "message":
      return <MessagePreview blob={part.blobId ?? ""} />;
    default:
      return <TextPreview part={part} />;
  }
}

/** What is there, or why not. */
export function Waited<T>({
  found,
  children,
}: {
  found: Found<T>;
  children: (found: T) => ReactNode;
}) {
  if (found === "failed") {
    return (
      <Notice tone="warn">
        <Trans>This file could not be loaded.</Trans>
      </Notice>
    );
  }
  if (found === undefined) {
    return (
      <div className={style.waiting} aria-busy>
        <Skeleton width="long" />
        <Skeleton width="half" />
      </div>
    );
  }
  return children(found);
}

function PicturePreview({ part, name }: { part: Part; name: string }) {
  // Whatever it is called, it is shown as points or not at all.
  const address = useAddress(part, "image/png");
  return (
    <Waited found={address}>
      {(src) => <img className={style.picture} src={src} alt={name} />}
    </Waited>
  );
}

/** By the browser's own viewer, which runs apart from this page. */
function PdfPreview({ part, name }: { part: Part; name: string }) {
  const address = useAddress(part, "application/pdf");
  if (!navigator.pdfViewerEnabled) {
    return (
      <Notice>
        <Trans>
          This browser does not show PDF files itself. Save it, and open it with another program.
        </Trans>
      </Notice>
    );
  }
  return (
    <Waited found={address}>
      {(src) => <iframe className={style.document} src={src} title={name} />}
    </Waited>
  );
}

function TextPreview({ part }: { part: Part }) {
  const found = useText(part, MOST_TEXT);
  return (
    <Waited found={found}>
      {({ text, whole }) => (
        <>
          <pre className={style.text}>{text}</pre>
          {whole ? null : (
            <Notice>
              <Trans>This file is long; its beginning is shown. Save it to have all of it.</Trans>
            </Notice>
          )}
        </>
      )}
    </Waited>
  );
}
