/** Folders made, renamed, moved and removed: on the server first, then as it tells of them. */
import { withBelow } from "../../folders/index.ts";
import { type Id, type Mailbox, MethodError, type Patch } from "../../jmap/index.ts";
import type { MailSession } from "../session.ts";

async function set(mail: MailSession, change: object) {
  const batch = mail.client.batch();
  const call = batch.add("Mailbox/set", change);
  const answer = (await mail.client.send(batch)).of(call);
  for (const refused of [answer.notCreated, answer.notUpdated, answer.notDestroyed]) {
    const [error] = Object.values(refused ?? {});
    if (error) throw new MethodError(error.type, error.description);
  }
  await mail.store.sender.look();
  return answer;
}

/** The id of the new one. Throws `RequestError`, `MethodError`. */
export async function createFolder(
  mail: MailSession,
  name: string,
  parentId: Id | null,
): Promise<Id> {
  const answer = await set(mail, { create: { new: { name, parentId } } });
  return answer.created?.new?.id ?? "";
}

/** Another name, another place, or whether programs show it. Throws `RequestError`, `MethodError`. */
export async function changeFolder(mail: MailSession, id: Id, patch: Patch): Promise<void> {
  await set(mail, { update: { [id]: patch } });
}

/** For ever, with what is in it and nowhere else. Throws `RequestError`, `MethodError`. */
export async function destroyFolder(mail: MailSession, id: Id): Promise<void> {
  // What is below goes first: a folder with others in it stays (RFC 8621 §2.5).
  const ids = [...withBelow(id, mail.store.mailboxes.all)].reverse();
  await set(mail, { destroy: ids, onDestroyRemoveEmails: true });
}

/** Whether a folder is in the trash, at any depth. */
export function isInTrash(mailbox: Mailbox, mail: MailSession): boolean {
  const trash = mail.store.mailboxes.role("trash");
  return Boolean(trash && withBelow(trash.id, mail.store.mailboxes.all).has(mailbox.id));
}

/** A name that nothing beside it has. */
export function freeName(name: string, parentId: Id | null, all: readonly Mailbox[]): string {
  const taken = new Set(
    all.filter((one) => one.parentId === parentId).map((one) => one.name.toLowerCase()),
  );
  let free = name;
  for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${name} ${n}`;
  return free;
}
