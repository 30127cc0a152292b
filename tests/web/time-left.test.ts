import { describe, expect, test } from 'vitest';
import { Tally } from '../../web/src/classifier/tally.js';
import { steps, TimeLeft } from '../../web/src/element/time-left.js';
import { loadWords, timeLeftWords } from '../../web/src/messages/index.js';

/** What is shown every tenth of a second of a download whose bytes a second are `speed(second)`. */
function shown(total: number, speed: (second: number) => number): (number | null)[] {
  const time = new TimeLeft();
  const seen: (number | null)[] = [];
  let loaded = 0;
  for (let at = 0; loaded < total && at < 120_000; at += 100) {
    seen.push(time.update(at, loaded, total));
    loaded = Math.min(total, loaded + speed(at / 1000) / 10);
  }
  return seen;
}

const changes = (seen: (number | null)[]): (number | null)[] =>
  seen.filter((value, i) => i === 0 || value !== seen[i - 1]);

describe('time left', () => {
  test('is unknown at first, then counts down in steps', () => {
    const seen = shown(8e6, () => 4e5);
    expect(seen.slice(0, 15)).toEqual(Array(15).fill(null));
    expect(changes(seen)).toEqual([null, 20, 15, 10, 5]);
  });

  test('does not jitter with the line', () => {
    // Bursts: a second of three times the speed, two of nothing.
    const seen = changes(shown(8e6, (second) => (Math.floor(second) % 3 === 0 ? 12e5 : 0)));
    const numbers = seen.filter((value) => value !== null);
    expect(numbers.length).toBeLessThanOrEqual(6);
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
  });

  test('grows when the line has become much slower', () => {
    const seen = changes(shown(8e6, (second) => (second < 5 ? 1e6 : 1e5)));
    expect(Math.max(...seen.map((value) => value ?? 0))).toBeGreaterThanOrEqual(20);
  });

  test('nothing comes: unknown', () => {
    expect(changes(shown(8e6, () => 0))).toEqual([null]);
  });

  test('is said in words', () => {
    expect([1, 12, 60, 61, 200].map(steps)).toEqual([5, 15, 60, 120, 240]);
    expect([5, 15, 60, 120].map(timeLeftWords)).toEqual([
      'a few seconds left',
      'about 15 seconds left',
      'about 60 seconds left',
      'slow connection: about 2 minutes left',
    ]);
  });
});

describe('what comes', () => {
  test('is all files that are not kept; one that has begun is known better than what was expected', () => {
    const tally = new Tally();
    tally.report('network', 100, 5_000_000, false);
    tally.expect('network', 0);
    tally.expect('engine', 2_900_000);
    tally.expect('locator', 300_000);
    tally.report('locator', 900_000, 900_000, true);
    expect(tally.all).toEqual({ loaded: 100, total: 7_900_000 });
    tally.report('engine', 2_900_000, 2_900_000, false);
    expect(tally.all).toEqual({ loaded: 2_900_100, total: 7_900_000 });
  });

  test('is said as one', () => {
    const all = { loaded: 3_600_000, total: 7_900_000 };
    const step = { phase: 'engine', loaded: 1, total: 2, cached: false } as const;
    expect(loadWords({ ...step, all })).toBe('Downloading: 3.6 of 7.9\u00a0MB');
    expect(loadWords({ ...step, all: { loaded: 2, total: 2 } })).toBe('Getting ready');
    expect(loadWords({ ...step, phase: 'model', cached: true, all: { loaded: 0, total: 0 } })).toBe(
      'Opening the neural network kept on this device',
    );
  });
});
