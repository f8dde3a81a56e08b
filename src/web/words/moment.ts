/** A moment as the watch of whoever looks shows it: `14:03:07` of today, else `2026-11-28 14:03`. */
export function shownMoment(time: string, now = new Date()): string {
  const moment = new Date(time);
  const two = (number: number): string => String(number).padStart(2, "0");
  const clock = `${two(moment.getHours())}:${two(moment.getMinutes())}`;
  const isToday = moment.toDateString() === now.toDateString();
  if (isToday) return `${clock}:${two(moment.getSeconds())}`;
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())} ${clock}`;
}
