declare module "*.po" {
  import type { Messages } from "@lingui/core";
  export const messages: Messages;
}
declare module "*.css" {
  const style: { readonly [name: string]: string };
  export default style;
}
