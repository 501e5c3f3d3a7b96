import { Circle, type LucideIcon, type LucideProps } from "lucide-react";
import type { Colour } from "./doc.ts";
import style from "./Tools.module.css";

function Dot({ name, ...props }: Omit<LucideProps, "name"> & { name: Colour }) {
  return <Circle {...props} className={style.dot} data-colour={name} />;
}

function Red(props: LucideProps) {
  return <Dot {...props} name="red" />;
}
function Orange(props: LucideProps) {
  return <Dot {...props} name="orange" />;
}
function Green(props: LucideProps) {
  return <Dot {...props} name="green" />;
}
function Blue(props: LucideProps) {
  return <Dot {...props} name="blue" />;
}
function Purple(props: LucideProps) {
  return <Dot {...props} name="purple" />;
}
function Grey(props: LucideProps) {
  return <Dot {...props} name="grey" />;
}

/** A spot of each colour, as a sign in a menu. */
export const DOTS = {
  red: Red,
  orange: Orange,
  green: Green,
  blue: Blue,
  purple: Purple,
  grey: Grey,
} as unknown as Readonly<Record<Colour, LucideIcon>>;
