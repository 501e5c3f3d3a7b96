import { Eye, EyeOff } from "lucide-react";
import { type Ref, useState } from "react";
import {
  TextField as AriaField,
  type TextFieldProps as AriaProps,
  Button,
  FieldError,
  Input,
  Label,
  Text,
} from "react-aria-components";
import { classes } from "./classes.ts";
import style from "./TextField.module.css";

export interface TextFieldProps extends Omit<AriaProps, "className" | "style" | "children"> {
  /** "" where `aria-label` says it. */
  label: string;
  hint?: string;
  error?: string | undefined;
  placeholder?: string;
  ref?: Ref<HTMLInputElement>;
  /** For a password: the words of the button that shows it, and of the one that hides it again. */
  reveal?: { show: string; hide: string };
}

export function TextField({
  label,
  hint,
  error,
  placeholder,
  reveal,
  ref,
  type,
  ...rest
}: TextFieldProps) {
  const [shown, setShown] = useState(false);
  const Icon = shown ? EyeOff : Eye;
  return (
    <AriaField
      {...rest}
      type={reveal && shown ? "text" : (type ?? "text")}
      isInvalid={Boolean(error)}
      className={style.field ?? ""}
    >
      {label ? <Label className={style.label ?? ""}>{label}</Label> : null}
      <div className={style.box}>
        <Input
          {...(ref ? { ref } : {})}
          {...(placeholder ? { placeholder } : {})}
          className={classes(style.input, reveal && style.roomy)}
        />
        {reveal ? (
          <Button
            className={style.reveal ?? ""}
            aria-label={shown ? reveal.hide : reveal.show}
            onPress={() => setShown(!shown)}
          >
            <Icon size={18} aria-hidden />
          </Button>
        ) : null}
      </div>
      {hint ? (
        <Text slot="description" className={style.hint ?? ""}>
          {hint}
        </Text>
      ) : null}
      <FieldError className={style.error ?? ""}>{error}</FieldError>
    </AriaField>
  );
}
