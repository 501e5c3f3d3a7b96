import { Trans, useLingui } from "@lingui/react/macro";
import { Baseline, EllipsisVertical, Paperclip, Trash2 } from "lucide-react";
import { fileSize } from "../i18n/index.ts";
import { IconButton, Menu, MenuItem } from "../ui/index.ts";
import style from "./Composer.module.css";
import type { Composing } from "./composing.ts";
import type { Desk } from "./desk.ts";
import { SendButton } from "./SendButton.tsx";
import { longestDelay } from "./sending.ts";

export interface FootProps {
  desk: Desk;
  one: Composing;
  send: (at?: Date) => void;
  phone: boolean;
  attach: () => void;
  tools: boolean;
  setTools: (on: boolean) => void;
  turn: (rich: boolean) => void;
}

/** What is done with the message, and how far it is saved. */
export function Foot({ desk, one, send, phone, attach, tools, setTools, turn }: FootProps) {
  const { t } = useLingui();
  const { rich } = one.draft;
  return (
    <footer className={style.foot}>
      <SendButton send={send} longest={longestDelay(desk.server)} />
      {rich ? (
        <IconButton
          icon={Baseline}
          label={t`How the text looks`}
          pressed={tools}
          onPress={() => setTools(!tools)}
        />
      ) : null}
      {phone ? null : (
        <IconButton
          icon={Paperclip}
          label={t`Attach files (${fileSize(one.files.most)} at most)`}
          onPress={attach}
        />
      )}
      <span className={style.status} role="status">
        <Saved one={one} />
      </span>
      <Menu label={t`More`} trigger={<IconButton icon={EllipsisVertical} label={t`More`} />}>
        <MenuItem onAction={() => turn(!rich)}>
          {rich ? t`Write as plain text` : t`Write with formatting`}
        </MenuItem>
        {phone ? (
          <MenuItem icon={Trash2} tone="danger" onAction={() => void desk.discard(one)}>
            {t`Throw the draft away`}
          </MenuItem>
        ) : null}
      </Menu>
      {phone ? null : (
        <IconButton
          icon={Trash2}
          label={t`Throw the draft away`}
          onPress={() => void desk.discard(one)}
        />
      )}
    </footer>
  );
}

function Saved({ one }: { one: Composing }) {
  switch (one.status) {
    case "saving":
    case "changed":
      return one.draft.emailId ? <Trans>Saving…</Trans> : null;
    case "saved":
      return <Trans>Saved</Trans>;
    case "waits":
      return <Trans>No connection. Kept here.</Trans>;
    default:
      return null;
  }
}
