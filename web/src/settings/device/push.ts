/** Notices of new mail for this browser: a subscription with the browser's push service, told to the server
    (RFC 8620 §7.2, RFC 9749). */
import type { JmapClient } from "../../jmap/index.ts";

export const VAPID = "urn:ietf:params:jmap:webpush-vapid";
const KEPT = "malleposte.push";

/** Why there can be none here; "" where there can. */
export function impossible(client: JmapClient): "browser" | "server" | "denied" | "" {
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) {
    return "browser";
  }
  if (!keyOf(client)) return "server";
  return Notification.permission === "denied" ? "denied" : "";
}

function keyOf({ session }: JmapClient): string {
  const found = session.capabilities[VAPID] as { applicationServerKey?: string } | undefined;
  return found?.applicationServerKey ?? "";
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Through whom notices come here; "" while they do not. */
export async function through(): Promise<string> {
  const found = localStorage.getItem(KEPT) ? await subscription().catch(() => null) : null;
  return found ? new URL(found.endpoint).host : "";
}

/** Have notices. Through whom; "" where the person said no. Throws what the browser or the server says. */
export async function subscribe(client: JmapClient): Promise<string> {
  if ((await Notification.requestPermission()) !== "granted") return "";
  const registration = await navigator.serviceWorker.ready;
  const found = await registration.pushManager.subscribe({
    userVisibleOnly: true,
    applicationServerKey: keyOf(client),
  });
  await tell(client, found);
  return new URL(found.endpoint).host;
}

async function tell(client: JmapClient, found: PushSubscription): Promise<void> {
  const { endpoint, keys } = found.toJSON();
  const batch = client.batch();
  const set = batch.add("PushSubscription/set", {
    create: {
      device: { deviceClientId: deviceId(), url: endpoint ?? "", keys, types: ["EmailDelivery"] },
    },
  });
  const { created, notCreated } = (await client.send(batch)).of(set);
  const id = created?.device?.id;
  if (!id) {
    await found.unsubscribe();
    throw new Error(notCreated?.device?.description ?? "refused");
  }
  localStorage.setItem(KEPT, id);
}

/** Have none any more. */
export async function unsubscribe(client: JmapClient): Promise<void> {
  const id = localStorage.getItem(KEPT);
  localStorage.removeItem(KEPT);
  await (await subscription())?.unsubscribe();
  if (!id) return;
  const batch = client.batch();
  batch.add("PushSubscription/set", { destroy: [id] });
  await client.send(batch);
}

const DEVICE = "malleposte.device";

function deviceId(): string {
  const known = localStorage.getItem(DEVICE);
  if (known) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(DEVICE, made);
  return made;
}
