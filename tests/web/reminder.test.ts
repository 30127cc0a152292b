import { describe, expect, test } from 'vitest';
import { dayAfter } from '../../web/src/element/day.js';
import { isoDay, reminder } from '../../web/src/element/reminder.js';

const day = new Date(2027, 1, 3);
const made = new Date(Date.UTC(2026, 10, 28, 21, 5, 9, 123));

describe('a reminder', () => {
  test('is an event of that day, with an alarm', () => {
    const text = reminder(day, 'Look again', made, 'one');
    expect(text.split('\r\n')).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Dermlet//Dermlet//EN',
      'BEGIN:VEVENT',
      'UID:one',
      'DTSTAMP:20261128T210509Z',
      'DTSTART;VALUE=DATE:20270203',
      'SUMMARY:Look again',
      'TRANSP:TRANSPARENT',
      'BEGIN:VALARM',
      'ACTION:DISPLAY',
      'DESCRIPTION:Look again',
      'TRIGGER:PT9H',
      'END:VALARM',
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ]);
  });

  test('escapes what has a meaning in the format, and folds long lines between characters', () => {
    const words = `one, two; three \\ four\nfive ${'é'.repeat(80)}`;
    const lines = reminder(day, words, made, 'one').split('\r\n');
    for (const line of lines) expect(new TextEncoder().encode(line).length).toBeLessThanOrEqual(75);
    const whole = lines.join('\r\n').replaceAll('\r\n ', '');
    expect(whole).toContain(`SUMMARY:one\\, two\\; three \\\\ four\\nfive ${'é'.repeat(80)}\r\n`);
  });

  test('has an identity of its own', () => {
    expect(reminder(day, 'a')).not.toBe(reminder(day, 'a'));
  });
});

test('days are counted over the end of months and years, and written in local time', () => {
  expect(isoDay(dayAfter(30, new Date(2026, 11, 15, 23, 59)))).toBe('2027-01-14');
  expect(isoDay(dayAfter(1, new Date(2028, 1, 28)))).toBe('2028-02-29');
});
