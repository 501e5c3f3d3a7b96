import type { LucideIcon } from "lucide-react";

/** Something that can be done or gone to by its name. */
export interface Command {
  readonly id: string;
  readonly words: string;
  /** What it belongs to: heading of a group. */
  readonly group: string;
  readonly icon: LucideIcon;
  /** The key that does it too. */
  readonly key?: string | undefined;
  run(): void;
}
