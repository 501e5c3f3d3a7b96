import { Check, type LucideIcon } from "lucide-react";
import type { ReactElement, ReactNode } from "react";
import {
  Menu as AriaMenu,
  MenuItem as AriaMenuItem,
  MenuSection as AriaMenuSection,
  Header,
  MenuTrigger,
  Popover,
  type Selection,
  Separator,
} from "react-aria-components";
import { classes } from "./classes.ts";
import style from "./Menu.module.css";

/** A button and the menu that it opens. */
export function Menu({
  trigger,
  label,
  open,
  turn,
  children,
}: {
  trigger: ReactElement;
  label: string;
  /** Opened by something else as well, such as a right press on what it is about. */
  open?: boolean;
  turn?: (open: boolean) => void;
  children: ReactNode;
}) {
  return (
    <MenuTrigger
      {...(open === undefined ? {} : { isOpen: open })}
      {...(turn ? { onOpenChange: turn } : {})}
    >
      {trigger}
      <Popover className={style.popover ?? ""} offset={6}>
        <AriaMenu className={style.menu ?? ""} aria-label={label}>
          {children}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

export interface MenuItemProps {
  id?: string;
  icon?: LucideIcon | undefined;
  shortcut?: string;
  tone?: "danger";
  /** Where it leads, in place of an action. */
  href?: string;
  onAction?: () => void;
  children: string;
}

export function MenuItem({ icon: Icon, shortcut, tone, children, ...rest }: MenuItemProps) {
  return (
    <AriaMenuItem
      {...rest}
      textValue={children}
      className={classes(style.item, tone === "danger" && style.danger)}
    >
      {({ isSelected, selectionMode }) => (
        <>
          <span className={style.icon}>
            {selectionMode !== "none" ? (
              isSelected ? (
                <Check size={16} aria-hidden />
              ) : null
            ) : Icon ? (
              <Icon size={16} aria-hidden />
            ) : null}
          </span>
          <span className={style.words}>{children}</span>
          {shortcut ? <kbd className={style.key}>{shortcut}</kbd> : null}
        </>
      )}
    </AriaMenuItem>
  );
}

/** Items of which one is on. */
export function MenuChoice({
  title,
  chosen,
  choose,
  children,
}: {
  title: string;
  chosen: string;
  choose: (id: string) => void;
  children: ReactNode;
}) {
  return (
    <AriaMenuSection
      className={style.section ?? ""}
      selectionMode="single"
      disallowEmptySelection
      selectedKeys={[chosen]}
      onSelectionChange={(keys: Selection) => {
        if (keys !== "all") for (const key of keys) choose(String(key));
      }}
    >
      <Header className={style.title ?? ""}>{title}</Header>
      {children}
    </AriaMenuSection>
  );
}

export function MenuLine() {
  return <Separator className={style.line ?? ""} />;
}
