export { Button, type ButtonProps, IconButton, type IconButtonProps } from "./Button.tsx";
export { classes } from "./classes.ts";
export { Notice } from "./Notice.tsx";
export { TextField, type TextFieldProps } from "./TextField.tsx";
export { Tooltip } from "./Tooltip.tsx";
export { Wordmark } from "./Wordmark.tsx";
