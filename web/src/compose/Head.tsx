import { useLingui } from "@lingui/react/macro";
import {
  ChevronDown,
  ChevronUp,
  Maximize2,
  Minimize2,
  Paperclip,
  SquareArrowOutUpRight,
  X,
} from "lucide-react";
import { IconButton } from "../ui/index.ts";
import style from "./Composer.module.css";
import type { Composing } from "./composing.ts";
import type { Desk } from "./desk.ts";

/** What the window is called, and where it goes. */
export function Head({
  desk,
  one,
  title,
  phone,
  attach,
}: {
  desk: Desk;
  one: Composing;
  title: string;
  phone: boolean;
  attach: () => void;
}) {
  const { t } = useLingui();
  const { place } = one;
  const close = (
    <IconButton
      icon={X}
      label={t`Save and close`}
      shortcut="Esc"
      onPress={() => void desk.close(one)}
    />
  );
  if (phone) {
    return (
      <header className={style.head}>
        {close}
        <h2 className={style.title}>{title}</h2>
        <IconButton icon={Paperclip} label={t`Attach files`} onPress={attach} />
      </header>
    );
  }
  if (place === "inline") {
    return (
      <header className={style.head}>
        <h2 className={style.title}>{title}</h2>
        <IconButton
          icon={SquareArrowOutUpRight}
          label={t`In a window of its own`}
          onPress={() => one.go("window")}
        />
        {close}
      </header>
    );
  }
  const small = place === "small";
  return (
    <header className={style.head}>
      <h2 className={style.title}>
        <button
          type="button"
          className={style.bar}
          aria-expanded={!small}
          onClick={() => one.go(small ? "window" : "small")}
        >
          {title}
        </button>
      </h2>
      <IconButton
        icon={small ? ChevronUp : ChevronDown}
        label={small ? t`Open again` : t`Put aside`}
        onPress={() => one.go(small ? "window" : "small")}
      />
      <IconButton
        icon={place === "full" ? Minimize2 : Maximize2}
        label={place === "full" ? t`Smaller` : t`Larger`}
        onPress={() => one.go(place === "full" ? "window" : "full")}
      />
      {close}
    </header>
  );
}
