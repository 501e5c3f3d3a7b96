import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useState } from "react";
import type { JmapClient } from "../../jmap/index.ts";
import { Notice, Switch } from "../../ui/index.ts";
import { Offline } from "../../wishes/index.ts";
import style from "../Settings.module.css";
import { client, useEnded } from "../session.ts";
import { impossible, subscribe, through, unsubscribe } from "./push.ts";

/** What this browser keeps, and whether it tells of new mail. */
export function ThisDevice() {
  return (
    <div className={style.page}>
      <Offline />
      <Notices />
    </div>
  );
}

function Notices() {
  const { t } = useLingui();
  const ended = useEnded();
  const [jmap, setJmap] = useState<JmapClient>();
  const [host, setHost] = useState("");
  const [trouble, setTrouble] = useState("");
  useEffect(() => {
    client().then(setJmap, ended);
    void through().then(setHost);
  }, [ended]);
  if (!jmap) return null;
  const why = impossible(jmap);
  if (why) {
    return (
      <Notice>
        {why === "browser" ? (
          <Trans>This browser cannot tell of new mail while no window is open.</Trans>
        ) : why === "server" ? (
          <Trans>This server does not tell of new mail while no window is open.</Trans>
        ) : (
          <Trans>
            This browser was told to show no notices of this site. Its settings change that, by the
            sign beside the address.
          </Trans>
        )}
      </Notice>
    );
  }

  async function turn(on: boolean): Promise<void> {
    if (!jmap) return;
    setTrouble("");
    try {
      if (on) setHost(await subscribe(jmap));
      else {
        await unsubscribe(jmap);
        setHost("");
      }
    } catch (error) {
      ended(error);
      setTrouble(t`That did not work. The push service of the browser may be out of reach.`);
    }
  }
  return (
    <>
      <Switch
        label={t`Notices of new mail`}
        hint={
          host
            ? t`They come through ${host}, sealed so that only this browser reads them.`
            : t`They come also while no window is open, through the push service of the browser's maker, who cannot read them.`
        }
        on={host !== ""}
        turn={(on) => void turn(on)}
      />
      {trouble ? <Notice tone="warn">{trouble}</Notice> : null}
    </>
  );
}
