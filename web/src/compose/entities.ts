/** Character references of HTML, as far as mail has them. */

const NAMED = new Map(
  (
    "amp=& lt=< gt=> quot=\" apos=' copy=© reg=® trade=™ euro=€ hellip=… mdash=— ndash=– lsquo=‘ rsquo=’ " +
    "ldquo=“ rdquo=” laquo=« raquo=» bull=• middot=· times=× deg=° sect=§ para=¶ pound=£ yen=¥ iexcl=¡ " +
    "iquest=¿ szlig=ß oelig=œ OElig=Œ aelig=æ AElig=Æ oslash=ø Oslash=Ø aring=å Aring=Å ntilde=ñ Ntilde=Ñ " +
    "ccedil=ç Ccedil=Ç agrave=à aacute=á acirc=â atilde=ã auml=ä egrave=è eacute=é ecirc=ê euml=ë igrave=ì " +
    "iacute=í icirc=î iuml=ï ograve=ò oacute=ó ocirc=ô otilde=õ ouml=ö ugrave=ù uacute=ú ucirc=û uuml=ü " +
    "yacute=ý Agrave=À Aacute=Á Acirc=Â Auml=Ä Egrave=È Eacute=É Ecirc=Ê Euml=Ë Icirc=Î Iuml=Ï Ocirc=Ô " +
    "Ouml=Ö Ugrave=Ù Ucirc=Û Uuml=Ü"
  )
    .split(" ")
    .map((one) => one.split(/=(.*)/s).slice(0, 2) as [string, string]),
);
NAMED.set("nbsp", "\u00a0");
for (const nothing of ["shy", "zwj", "zwnj"]) NAMED.set(nothing, "");

export function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,8}));?/gi,
    (whole, ten?: string, sixteen?: string, name?: string) => {
      if (name) return NAMED.get(name) ?? whole;
      const code = ten ? Number(ten) : Number.parseInt(sixteen ?? "", 16);
      const shown = code > 31 && code < 0x110000 && !(code >= 0xd800 && code < 0xe000);
      return shown ? String.fromCodePoint(code) : " ";
    },
  );
}
