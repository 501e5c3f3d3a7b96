/** What mail programs are to be told, from the settings file that they look for themselves. */

export interface Server {
  readonly kind: "imap" | "pop3" | "smtp";
  readonly host: string;
  readonly port: string;
  readonly tls: boolean;
  readonly name: string;
}

/** Of a document in Mozilla's format. The first of each kind is the best. */
export function serversOf(document: Document, address: string): readonly Server[] {
  const found: Server[] = [];
  for (const one of document.querySelectorAll("incomingServer, outgoingServer")) {
    const said = (tag: string) => one.querySelector(tag)?.textContent?.trim() ?? "";
    const kind = one.getAttribute("type");
    if (kind !== "imap" && kind !== "pop3" && kind !== "smtp") continue;
    if (found.some((other) => other.kind === kind)) continue;
    const name = said("username")
      .replace("%EMAILADDRESS%", address)
      .replace("%EMAILLOCALPART%", address.split("@")[0] ?? "");
    const tls = said("socketType") === "SSL";
    found.push({ kind, host: said("hostname"), port: said("port"), tls, name });
  }
  return found;
}

/** The document at a path. Not by `DOMParser`, which the policy of the page keeps for mail. */
export function documentAt(path: string): Promise<Document> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", path);
    request.responseType = "document";
    request.overrideMimeType("text/xml");
    request.onload = () =>
      request.status === 200 && request.responseXML
        ? resolve(request.responseXML)
        : reject(new Error(`${path} was answered with ${request.status}`));
    request.onerror = () => reject(new Error(`${path} cannot be reached`));
    request.send();
  });
}
