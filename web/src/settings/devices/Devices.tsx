import { Trans, useLingui } from "@lingui/react/macro";
import { Copy, Download } from "lucide-react";
import { addressOf, go } from "../../route/index.ts";
import { AuthError, state } from "../../signin/index.ts";
import { Button, IconButton, Notice, toasts } from "../../ui/index.ts";
import { useLoaded } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Items, Section } from "../Section.tsx";
import style from "../Settings.module.css";
import { documentAt, type Server, serversOf } from "./servers.ts";

interface Found {
  readonly address: string;
  /** Nothing where the server gives no settings: without a certificate nobody could sign in. */
  readonly servers: readonly Server[];
  readonly contacts: boolean;
}

async function load(): Promise<Found> {
  const who = await state();
  if (typeof who !== "object") throw new AuthError(who === "nobody" ? "signed-out" : "away");
  const path = `/mail/config-v1.1.xml?emailaddress=${encodeURIComponent(who.address)}`;
  const [servers, contacts] = await Promise.all([
    documentAt(path).then(
      (document) => serversOf(document, who.address),
      () => [],
    ),
    // It leads to where contacts are, or is not there.
    fetch("/.well-known/carddav", { method: "HEAD", redirect: "manual", cache: "no-store" }).then(
      (answer) => answer.type === "opaqueredirect",
      () => false,
    ),
  ]);
  return { address: who.address, servers, contacts };
}

/** How to set mail programs and phones up. */
export function Devices() {
  const [found, again] = useLoaded(load);
  return (
    <Loaded found={found} again={again}>
      {(there) => (
        <div className={style.page}>
          <Programs {...there} />
        </div>
      )}
    </Loaded>
  );
}

function Programs({ address, servers, contacts }: Found) {
  const { t } = useLingui();
  const kinds = { imap: t`Incoming, IMAP`, pop3: t`Incoming, POP3`, smtp: t`Outgoing, SMTP` };

  function copied(text: string): void {
    void navigator.clipboard.writeText(text).then(() => toasts.show(t`Copied.`));
  }

  return (
    <>
      <Section
        title={t`Thunderbird, Outlook and others`}
        about={
          <p>
            <Trans>
              Type your address {address} and a password; they find the rest by themselves.
            </Trans>
          </p>
        }
        actions={
          <a
            href={addressOf({ at: "settings", page: "app-passwords" })}
            onClick={(event) => {
              event.preventDefault();
              go({ at: "settings", page: "app-passwords" });
            }}
          >
            <Trans>Make an app password for it</Trans>
          </a>
        }
      />
      <Section
        title={t`iPhone, iPad and Mac`}
        about={
          <p>
            <Trans>
              Open this page on the device and load the profile; then allow it in its settings. It
              holds no password.
            </Trans>
          </p>
        }
        actions={
          servers.length ? (
            <Button
              icon={Download}
              onPress={() => {
                location.assign(`/mail/apple.mobileconfig?email=${encodeURIComponent(address)}`);
              }}
            >
              <Trans>Load the profile</Trans>
            </Button>
          ) : null
        }
      />
      <Section title={t`By hand`}>
        {servers.length ? (
          <Items
            label={t`By hand`}
            items={servers.map((one) => ({
              id: one.kind,
              name: kinds[one.kind],
              detail: (
                <>
                  {one.host} · {t`port ${one.port}`} · {one.tls ? "TLS" : "STARTTLS"}
                  <br />
                  {t`User name ${one.name}`}
                </>
              ),
              actions: (
                <IconButton
                  icon={Copy}
                  label={t`Copy the name of the server`}
                  onPress={() => copied(one.host)}
                />
              ),
            }))}
          />
        ) : (
          <Notice>
            <Trans>This server offers no mail programs anything yet. Ask your administrator.</Trans>
          </Notice>
        )}
      </Section>
      {contacts ? (
        <Section
          title={t`Contacts (CardDAV)`}
          about={
            <p>
              <Trans>
                Phones and address books ask for this address, your mail address, and an app
                password.
              </Trans>
            </p>
          }
        >
          <Items
            label={t`Contacts (CardDAV)`}
            items={[
              {
                id: "dav",
                name: location.origin,
                actions: (
                  <IconButton
                    icon={Copy}
                    label={t`Copy the address`}
                    onPress={() => copied(location.origin)}
                  />
                ),
              },
            ]}
          />
        </Section>
      ) : null}
    </>
  );
}
