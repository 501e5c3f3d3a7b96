/** What can be set, by subject: the pages of the settings, for whoever leads to them. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";
import {
  ArchiveRestore,
  CloudUpload,
  Filter,
  Keyboard,
  KeyRound,
  Languages,
  Laptop,
  type LucideIcon,
  MonitorSmartphone,
  Palette,
  Plane,
  Settings2,
  ShieldCheck,
  UserRound,
} from "lucide-react";

export interface Subject {
  readonly name: MessageDescriptor;
  readonly icon: LucideIcon;
}

const ALL = {
  appearance: { name: msg`Appearance`, icon: Palette },
  language: { name: msg`Language`, icon: Languages },
  device: { name: msg`This device`, icon: Laptop },
  keyboard: { name: msg`Keyboard`, icon: Keyboard },
  identities: { name: msg`Identities and signatures`, icon: UserRound },
  vacation: { name: msg`Away`, icon: Plane },
  filters: { name: msg`Filters`, icon: Filter },
  security: { name: msg`Security`, icon: ShieldCheck },
  "app-passwords": { name: msg`App passwords`, icon: KeyRound },
  sessions: { name: msg`Where you are signed in`, icon: MonitorSmartphone },
  devices: { name: msg`Mail programs and phones`, icon: Settings2 },
  recovery: { name: msg`Deleted messages`, icon: ArchiveRestore },
  transfer: { name: msg`Import and export`, icon: CloudUpload },
} as const satisfies Record<string, Subject>;

export type SubjectId = keyof typeof ALL;

/** In the order in which they are offered. */
export const SUBJECTS: readonly (Subject & { readonly id: SubjectId })[] = (
  Object.keys(ALL) as SubjectId[]
).map((id) => ({ id, ...ALL[id] }));
