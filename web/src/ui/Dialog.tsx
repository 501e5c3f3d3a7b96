import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from "react-aria-components";
import { IconButton } from "./Button.tsx";
import { classes } from "./classes.ts";
import style from "./Dialog.module.css";

export interface DialogProps {
  open: boolean;
  close: () => void;
  title: string;
  /** Words of the button that closes it. */
  closeLabel: string;
  size?: "small" | "wide" | "large";
  children: ReactNode;
}

/** Something that must be looked at before anything else; Escape and a press beside it close it. */
export function Dialog({ open, close, title, closeLabel, size = "small", children }: DialogProps) {
  return (
    <ModalOverlay
      className={style.overlay ?? ""}
      isOpen={open}
      onOpenChange={(now) => now || close()}
      isDismissable
    >
      <Modal className={classes(style.modal, style[size])}>
        <AriaDialog className={style.dialog ?? ""}>
          <div className={style.head}>
            <Heading slot="title" className={style.title ?? ""}>
              {title}
            </Heading>
            <IconButton icon={X} label={closeLabel} onPress={close} />
          </div>
          <div className={style.body}>{children}</div>
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** A panel that comes in from the side, where there is no room beside the rest. */
export function Drawer({
  open,
  close,
  label,
  children,
}: {
  open: boolean;
  close: () => void;
  label: string;
  children: ReactNode;
}) {
  return (
    <ModalOverlay
      className={style.overlay ?? ""}
      isOpen={open}
      onOpenChange={(now) => now || close()}
      isDismissable
    >
      <Modal className={style.drawer ?? ""}>
        <AriaDialog className={style.dialog ?? ""} aria-label={label}>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}
