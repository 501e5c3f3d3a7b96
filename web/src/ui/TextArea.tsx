import {
  TextArea as AriaArea,
  TextField as AriaField,
  type TextFieldProps as AriaProps,
  FieldError,
  Label,
  Text,
} from "react-aria-components";
import { classes } from "./classes.ts";
import style from "./TextField.module.css";

export interface TextAreaProps extends Omit<AriaProps, "className" | "style" | "children"> {
  label: string;
  hint?: string;
  error?: string | undefined;
  rows?: number;
}

/** A field of several lines. */
export function TextArea({ label, hint, error, rows = 6, ...rest }: TextAreaProps) {
  return (
    <AriaField {...rest} isInvalid={Boolean(error)} className={style.field ?? ""}>
      <Label className={style.label ?? ""}>{label}</Label>
      <AriaArea rows={rows} className={classes(style.input, style.area)} />
      {hint ? (
        <Text slot="description" className={style.hint ?? ""}>
          {hint}
        </Text>
      ) : null}
      <FieldError className={style.error ?? ""}>{error}</FieldError>
    </AriaField>
  );
}
