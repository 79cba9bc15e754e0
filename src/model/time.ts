import { hatobaError } from './errors.ts';

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/**
 * Reads a time of RFC 3339 in whatever time zone, and gives it in UTC with milliseconds (what is finer is cut off),
 * so that equal times are equal texts, and texts sort as their times do. Error: `time_malformed`.
 */
export function parseTime(text: string): string {
  const match = TIME.exec(text);
  if (match === null) throw hatobaError('time_malformed', { value: text });
  const [, local = '', fraction = '', sign = '+', hours = '0', minutes = '0'] = match;
  const time = Date.parse(`${local}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  // Date takes the 30th of February for the 2nd of March.
  const exists = !Number.isNaN(time) && printTime(time).startsWith(local);
  const offset = Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes));
  const utc = exists ? printTime(time - offset * 60_000) : '';
  // Years before 0 and after 9999 have more digits.
  if (utc.length !== 24) throw hatobaError('time_malformed', { value: text });
  return utc;
}

/** `time`: milliseconds since 1970. The form that `parseTime` gives. */
export function printTime(time: number): string {
  return new Date(time).toISOString();
}
