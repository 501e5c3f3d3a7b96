import { Trans, useLingui } from "@lingui/react/macro";
import { FileImage, File as FileSign, X } from "lucide-react";
import { fileSize } from "../i18n/index.ts";
import { IconButton } from "../ui/index.ts";
import style from "./Attachments.module.css";
import type { Composing } from "./composing.ts";

/** What goes with the message, each with how far it is on its way. */
export function Attachments({ one }: { one: Composing }) {
  const { t } = useLingui();
  const files = one.draft.attachments.filter(({ cid }) => !cid);
  if (!files.length) return null;
  return (
    <ul className={style.files} aria-label={t`Attachments`}>
      {files.map(({ key, name, type, size, blobId }) => {
        const progress = one.files.progress(key);
        const Icon = type.startsWith("image/") ? FileImage : FileSign;
        const shown = name || t`Unnamed file`;
        return (
          <li key={key} className={style.file} data-failed={progress === "failed" || undefined}>
            <Icon size={16} aria-hidden className={style.sign} />
            <span className={style.words}>
              <span className={style.name}>{shown}</span>
              <span className={style.size}>
                {progress === "failed" ? (
                  <Trans>Not taken by the server</Trans>
                ) : progress === "waits" ? (
                  <Trans>Waits for a connection</Trans>
                ) : (
                  fileSize(size)
                )}
              </span>
            </span>
            {typeof progress === "number" && !blobId ? (
              <progress
                className={style.progress}
                max={1}
                value={progress}
                aria-label={t`Upload of ${shown}`}
              />
            ) : null}
            <IconButton icon={X} label={t`Remove ${shown}`} onPress={() => one.files.remove(key)} />
          </li>
        );
      })}
    </ul>
  );
}
