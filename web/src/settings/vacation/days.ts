/** Days of a calendar where one is, and the moments that they begin at. */

/** The day of a moment, as a date field has it; of an end, which is the first moment that is not within, the
    last day that is. */
export function dayOf(iso: string | null, end = false): string {
  if (!iso) return "";
  const moment = new Date(new Date(iso).getTime() - (end ? 1000 : 0));
  if (Number.isNaN(moment.getTime())) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}

/** When a day begins; or where the next one does, `end`. */
export function momentOf(day: string, end = false): string | null {
  const [year, month, date] = day.split("-").map(Number);
  if (!year || !month || !date) return null;
  const moment = new Date(year, month - 1, date + (end ? 1 : 0));
  return `${moment.toISOString().slice(0, 19)}Z`;
}
