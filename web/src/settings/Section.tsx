import type { ReactNode } from "react";
import style from "./Section.module.css";

/** A part of a page: what it is about, and what can be done. */
export function Section({
  title,
  about,
  actions,
  children,
}: {
  title?: string;
  about?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}) {
  return (
    <section className={style.section} aria-label={title}>
      {title ? <h3 className={style.title}>{title}</h3> : null}
      {about ? <div className={style.about}>{about}</div> : null}
      {children}
      {actions ? <div className={style.actions}>{actions}</div> : null}
    </section>
  );
}

export interface Item {
  readonly id: string | number;
  readonly name: ReactNode;
  readonly detail?: ReactNode;
  readonly actions?: ReactNode;
}

/** Things that one has several of, a line each. */
export function Items({ label, items }: { label: string; items: readonly Item[] }) {
  return (
    <ul className={style.items} aria-label={label}>
      {items.map(({ id, name, detail, actions }) => (
        <li key={id} className={style.item}>
          <div className={style.words}>
            <div className={style.name}>{name}</div>
            {detail ? <div className={style.detail}>{detail}</div> : null}
          </div>
          {actions ? <div className={style.tools}>{actions}</div> : null}
        </li>
      ))}
    </ul>
  );
}

/** A column of fields, and below it what is done with them. */
export function Form({
  submit,
  actions,
  children,
}: {
  submit: () => void;
  actions: ReactNode;
  children: ReactNode;
}) {
  return (
    <form
      className={style.form}
      onSubmit={(event) => {
        event.preventDefault();
        // A dialog is drawn elsewhere, yet its events reach the form that it was opened from.
        event.stopPropagation();
        submit();
      }}
    >
      {children}
      <div className={style.actions}>{actions}</div>
    </form>
  );
}
