/** A reminder as a calendar file (iCalendar, RFC 5545), made on the device. It names no condition and no photo. */
import { download } from './download.js';

/** Such as `2026-11-28`, in local time. */
export const isoDay = (day: Date): string =>
  [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) => String(part).padStart(2, '0')).join('-');

/** Octets of a line, without its end. */
const LONGEST = 75;

const escaped = (text: string): string =>
  text.replace(/[\\;,]/g, (character) => `\\${character}`).replace(/\r\n|\r|\n/g, '\\n');

/** A long line goes on in the next, after a space; not within a character. */
function folded(line: string): string {
  const encoder = new TextEncoder();
  let room = LONGEST;
  let out = '';
  for (const character of line) {
    const bytes = encoder.encode(character).length;
    if (bytes > room) {
      out += '\r\n ';
      room = LONGEST - 1;
    }
    out += character;
    room -= bytes;
  }
  return out;
}

/**
 * The file's text: an event of a whole day, with an alarm at nine of that morning.
 * @param day of the reminder, local time
 * @param summary what the calendar shows
 * @param made now
 * @param uid unlike any other's
 */
export function reminder(day: Date, summary: string, made = new Date(), uid: string = crypto.randomUUID()): string {
  const words = escaped(summary);
  const stamp = made.toISOString().replace(/[-:]|\.\d+/g, '');
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Dermlet//Dermlet//EN',
    'BEGIN:VEVENT',
    `UID:${uid}`,
    `DTSTAMP:${stamp}`,
    `DTSTART;VALUE=DATE:${isoDay(day).replaceAll('-', '')}`,
    `SUMMARY:${words}`,
    'TRANSP:TRANSPARENT',
    'BEGIN:VALARM',
    'ACTION:DISPLAY',
    `DESCRIPTION:${words}`,
    'TRIGGER:PT9H',
    'END:VALARM',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ]
    .map(folded)
    .join('\r\n');
}

/**
 * Hands the file to the browser, which opens the calendar or keeps it among the downloads.
 * @returns the file's name
 */
export function offerReminder(day: Date, summary: string): string {
  const name = `reminder-${isoDay(day)}.ics`;
  download(new Blob([reminder(day, summary)], { type: 'text/calendar' }), name);
  return name;
}
