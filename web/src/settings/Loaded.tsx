import { Trans, useLingui } from "@lingui/react/macro";
import { CloudOff } from "lucide-react";
import type { ReactNode } from "react";
import { Button, EmptyState, Skeleton } from "../ui/index.ts";
import style from "./Settings.module.css";

/** A page once what it shows is there. */
export function Loaded<T>({
  found,
  again,
  children,
}: {
  found: T | "away" | undefined;
  again: () => void;
  children: (found: T) => ReactNode;
}) {
  const { t } = useLingui();
  if (found === "away") {
    return (
      <EmptyState icon={CloudOff} title={t`This cannot be shown now`}>
        <p>
          <Trans>The server does not answer at the moment. Nothing is lost.</Trans>
        </p>
        <Button onPress={again}>
          <Trans>Try again</Trans>
        </Button>
      </EmptyState>
    );
  }
  if (found === undefined) {
    return (
      <div className={style.page} aria-busy>
        <Skeleton width="half" />
        <Skeleton width="long" />
        <Skeleton width="long" />
      </div>
    );
  }
  return children(found);
}
