/** Every key that does something, in one table: what is bound and what is told of come from here. The keys are
    those of Gmail, where it has one for it. */
import type { MessageDescriptor } from "@lingui/core";
import { msg } from "@lingui/core/macro";

export type Group = "go" | "list" | "message" | "write";

export interface Shortcut {
  readonly group: Group;
  /** Names as `nameOf` gives them; "g i" is g and then i, "mod+k" with Ctrl, or ⌘ on a Mac. */
  readonly keys: readonly string[];
  readonly does: MessageDescriptor;
}

const TABLE = {
  next: { group: "list", keys: ["j"], does: msg`Read the older message` },
  previous: { group: "list", keys: ["k"], does: msg`Read the newer message` },
  open: { group: "list", keys: ["o", "enter"], does: msg`Open the message` },
  mark: { group: "list", keys: ["x"], does: msg`Mark the row` },
  back: { group: "list", keys: ["u"], does: msg`Back to the list` },
  leave: { group: "list", keys: ["escape"], does: msg`Unmark all; back to the list` },

  archive: { group: "message", keys: ["e", "y"], does: msg`Archive` },
  trash: { group: "message", keys: ["#", "delete"], does: msg`Move to trash` },
  junk: { group: "message", keys: ["!"], does: msg`To junk, or out of it` },
  move: { group: "message", keys: ["v"], does: msg`Move to a folder` },
  label: { group: "message", keys: ["l"], does: msg`Labels` },
  star: { group: "message", keys: ["s"], does: msg`Star, or remove the star` },
  read: { group: "message", keys: ["shift+i"], does: msg`Mark as read` },
  unread: { group: "message", keys: ["shift+u"], does: msg`Mark as unread` },
  undo: { group: "message", keys: ["z"], does: msg`Undo what was just done` },

  compose: { group: "write", keys: ["c"], does: msg`Write a message` },
  reply: { group: "write", keys: ["r"], does: msg`Reply` },
  replyAll: { group: "write", keys: ["a"], does: msg`Reply to all` },
  forward: { group: "write", keys: ["f"], does: msg`Forward` },
  send: { group: "write", keys: ["mod+enter"], does: msg`Send what is written` },
  copies: {
    group: "write",
    keys: ["mod+shift+c", "mod+shift+b"],
    does: msg`Copies, blind copies`,
  },

  palette: { group: "go", keys: ["mod+k"], does: msg`Go anywhere, do anything` },
  search: { group: "go", keys: ["/"], does: msg`Search mail` },
  inbox: { group: "go", keys: ["g i"], does: msg`Go to the inbox` },
  starred: { group: "go", keys: ["g s"], does: msg`Go to what is starred` },
  drafts: { group: "go", keys: ["g d"], does: msg`Go to the drafts` },
  sent: { group: "go", keys: ["g t"], does: msg`Go to what was sent` },
  contacts: { group: "go", keys: ["g c"], does: msg`Go to the contacts` },
  archived: { group: "go", keys: ["g a"], does: msg`Go to the archive` },

  help: { group: "go", keys: ["?"], does: msg`Show all keys` },
} as const satisfies Record<string, Shortcut>;

export type KeyName = keyof typeof TABLE;

export const SHORTCUTS: Readonly<Record<KeyName, Shortcut>> = TABLE;

const NAMED: Readonly<Record<string, string>> = {
  escape: "Esc",
  enter: "Enter",
  delete: "Del",
  shift: "Shift",
};

/** How a key is written for people: "G I", "Shift U", "Ctrl K". */
export function written(key: string, mac: boolean): string {
  return key
    .split(/[ +]/)
    .map((one) => (one === "mod" ? (mac ? "⌘" : "Ctrl") : (NAMED[one] ?? one.toUpperCase())))
    .join(" ");
}

/** Whether ⌘ stands where others have Ctrl. */
export const MAC = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The first key of a deed, for people. */
export function keyOf(name: KeyName): string {
  return written(SHORTCUTS[name].keys[0] ?? "", MAC);
}
