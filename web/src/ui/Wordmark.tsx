import style from "./Wordmark.module.css";

/** The mark and the name. */
export function Wordmark() {
  return (
    <span className={style.wordmark}>
      <img src="/icon.svg" width="30" height="30" alt="" />
      <span>Malleposte</span>
    </span>
  );
}
