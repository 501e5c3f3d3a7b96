/** What trash and junk do where one is: what is there already goes further, or back. */
import { useLingui } from "@lingui/react/macro";
import { type LucideIcon, ShieldAlert, ShieldCheck } from "lucide-react";
import type { Role } from "../../jmap/index.ts";

export interface Away {
  readonly trash: string;
  readonly junk: string;
  readonly junkIcon: LucideIcon;
}

/** Words and signs of the two, by the role of the mailbox that is looked at. */
export function useAway(role: Role | null | undefined): Away {
  const { t } = useLingui();
  const junk = role === "junk";
  return {
    trash: role === "trash" ? t`Delete for good` : t`Move to trash`,
    junk: junk ? t`Not junk` : t`Junk`,
    junkIcon: junk ? ShieldCheck : ShieldAlert,
  };
}
