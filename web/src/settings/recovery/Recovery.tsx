import { plural } from "@lingui/core/macro";
import { Trans, useLingui } from "@lingui/react/macro";
import { ArchiveRestore } from "lucide-react";
import { useState } from "react";
import { fullDate, shortDate } from "../../i18n/index.ts";
import { type Id, MethodError, type Recoverable, recover } from "../../jmap/index.ts";
import { Button, EmptyState, IconButton, Notice, toasts } from "../../ui/index.ts";
import { useLoaded, useTried } from "../hooks.ts";
import { Loaded } from "../Loaded.tsx";
import { Items, Section } from "../Section.tsx";
import style from "../Settings.module.css";
import { client } from "../session.ts";

interface Page {
  readonly list: readonly Recoverable[];
  readonly next: string | null;
}

async function page(after: string | null): Promise<Page> {
  const jmap = await client();
  const batch = jmap.batch();
  const call = batch.add("Email/recoverable", { after });
  return (await jmap.send(batch)).of(call);
}

const first = () => page(null);

/** What was deleted for good and can still be brought back. */
export function Recovery() {
  const [found, again] = useLoaded(first);
  return (
    <Loaded found={found} again={again}>
      {(begun) => (
        <div className={style.page}>
          <List key={begun.list[0]?.id} begun={begun} />
        </div>
      )}
    </Loaded>
  );
}

function List({ begun }: { begun: Page }) {
  const { t } = useLingui();
  const tried = useTried();
  const [{ list, next }, setPage] = useState(begun);

  async function back(ids: readonly Id[]): Promise<void> {
    await tried.run(async () => {
      const done = new Set(await recover(await client(), ids));
      setPage((before) => ({ ...before, list: before.list.filter(({ id }) => !done.has(id)) }));
      const count = done.size;
      if (count) {
        toasts.show(
          plural(count, {
            one: "# message is back where it was",
            other: "# messages are back where they were",
          }),
        );
      }
      if (count < ids.length) {
        throw new MethodError("overQuota", t`Some could not be brought back: the mailbox is full.`);
      }
    });
  }

  async function further(): Promise<void> {
    await tried.run(async () => {
      const more = await page(next);
      setPage({ list: [...list, ...more.list], next: more.next });
    });
  }

  if (!list.length && !next) {
    return (
      <EmptyState icon={ArchiveRestore} title={t`Nothing to bring back`}>
        <Trans>What you delete for good stays here for some days.</Trans>
      </EmptyState>
    );
  }
  const subject = (one: Recoverable) => one.subject.trim() || t`(no subject)`;
  return (
    <Section
      about={
        <p>
          <Trans>
            These messages were deleted for good. Until the day that is named they can be brought
            back to where they were.
          </Trans>
        </p>
      }
      actions={
        <>
          {next ? (
            <Button onPress={() => void further()}>
              <Trans>Show more</Trans>
            </Button>
          ) : null}
          <Button
            icon={ArchiveRestore}
            isDisabled={tried.busy}
            onPress={() => void back(list.map(({ id }) => id))}
          >
            <Trans>Bring back all that are shown</Trans>
          </Button>
        </>
      }
    >
      {tried.trouble ? <Notice tone="danger">{tried.trouble}</Notice> : null}
      <Items
        label={t`Deleted messages`}
        items={list.map((one) => ({
          id: one.id,
          name: subject(one),
          detail: (
            <>
              {one.from}
              <br />
              {t`Deleted ${fullDate(one.destroyedAt)}, kept until ${shortDate(one.until)}`}
            </>
          ),
          actions: (
            <IconButton
              icon={ArchiveRestore}
              label={t`Bring back “${subject(one)}”`}
              isDisabled={tried.busy}
              onPress={() => void back([one.id])}
            />
          ),
        }))}
      />
    </Section>
  );
}
