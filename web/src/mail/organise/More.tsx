import { useLingui } from "@lingui/react/macro";
import { Ban, Ellipsis, Filter, LogOut } from "lucide-react";
import { useEffect, useState } from "react";
import type { Email } from "../../jmap/index.ts";
import { Button, IconButton, Menu, MenuItem } from "../../ui/index.ts";
import type { Deeds } from "../deeds.ts";
import { useMail } from "../session.ts";
import type { ListFields } from "./lists.ts";
import { askedList, useSenders } from "./senders.ts";

/** After a message was opened, until it is asked by what list it came: who only passes by asks nothing. */
const PAUSE = 500;

/** What else can be done about the sender of a message. */
export function More({ email, deeds }: { email: Email; deeds: Deeds }) {
  const { t } = useLingui();
  const { like, block } = useSenders(deeds);
  const sender = email.from?.[0]?.email ?? "";
  return (
    <Menu label={t`More`} trigger={<IconButton icon={Ellipsis} label={t`More`} />}>
      <MenuItem icon={Filter} onAction={() => void like(email)}>
        {t`Filter messages like this`}
      </MenuItem>
      {sender ? (
        <MenuItem icon={Ban} onAction={() => void block(email)}>
          {t`Block ${sender}`}
        </MenuItem>
      ) : null}
    </Menu>
  );
}

/** A button to leave the list that a message came by, where it says how. */
export function Unsubscribe({ email, deeds }: { email: Email; deeds: Deeds }) {
  const { t } = useLingui();
  const mail = useMail();
  const { unsubscribe } = useSenders(deeds);
  const [fields, setFields] = useState<ListFields>();
  const [done, setDone] = useState(false);
  const { id } = email;
  useEffect(() => {
    let left = false;
    const timer = setTimeout(() => {
      askedList(mail, id).then(
        (found) => left || setFields(found),
        () => {},
      );
    }, PAUSE);
    return () => {
      left = true;
      clearTimeout(timer);
    };
  }, [mail, id]);
  if (!fields?.page) return null;
  return (
    <Button
      kind="quiet"
      icon={LogOut}
      isDisabled={done}
      onPress={() => {
        setDone(fields.oneStep);
        void unsubscribe(email, fields);
      }}
    >
      {t`Unsubscribe`}
    </Button>
  );
}
