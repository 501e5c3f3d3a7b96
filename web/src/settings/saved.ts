/** Give a text to its person as a file. */
export function saved(text: string, name: string, type = "text/plain"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has it by then; at once it would not have begun.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
