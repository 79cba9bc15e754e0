import fc from 'fast-check';
import { expect, test } from 'vitest';
import { frame } from '../../src/cli/screen.ts';

/** An escape sequence, or one character. */
const PART = /\p{Cc}\[(?:H|K|J|7m|0m)|./gsu;

/**
 * As much of xterm as a frame uses: behind a character on the last column the cursor stays on that column, until another
 * character comes; what erases begins under the cursor.
 */
function createTerminal(columns: number, rows: number, before = 'x') {
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => before));
  let [row, column, wraps] = [0, 0, false];

  function erase(from: number, to: number): void {
    for (let at = from; at < to; at++) (cells[Math.floor(at / columns)] ?? [])[at % columns] = ' ';
  }

  function take(part: string): void {
    const here = row * columns + column;
    if (part === '\u001b[H') [row, column, wraps] = [0, 0, false];
    else if (part === '\u001b[K') erase(here, (row + 1) * columns);
    else if (part === '\u001b[J') erase(here, rows * columns);
    else if (part === '\r') [column, wraps] = [0, false];
    else if (part === '\n') row = Math.min(row + 1, rows - 1);
    else if (!part.startsWith('\u001b')) {
      if (wraps) [row, column] = [Math.min(row + 1, rows - 1), 0];
      (cells[row] ?? [])[column] = part;
      wraps = column === columns - 1;
      if (!wraps) column++;
    }
  }

  return {
    write: (text: string) => {
      for (const [part] of text.matchAll(PART)) take(part);
    },
    lines: () => cells.map((line) => line.join('')),
  };
}

test('a frame is what is on the screen then, whatever was there, up to the last column', () => {
  const size = fc.record({ columns: fc.integer({ min: 1, max: 8 }), rows: fc.integer({ min: 1, max: 5 }) });
  const frames = size.chain(({ columns, rows }) => {
    const line = fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: columns });
    return fc.tuple(fc.constant({ columns, rows }), fc.array(line, { maxLength: rows }), fc.nat(rows));
  });
  fc.assert(
    fc.property(frames, ([{ columns, rows }, lines, heading]) => {
      const terminal = createTerminal(columns, rows);
      terminal.write(frame(lines, heading));
      const wanted = Array.from({ length: rows }, (_, row) => (lines[row] ?? '').padEnd(columns));
      expect(terminal.lines()).toEqual(wanted);
    }),
  );
});

test('erased behind a full line, its last column would be lost', () => {
  const terminal = createTerminal(3, 1);
  terminal.write('\u001b[Habc\u001b[K');
  expect(terminal.lines()).toEqual(['ab ']);
});

test('the heading is inverse', () => {
  expect(frame(['title', 'heading', 'row'], 1)).toContain('\u001b[7mheading\u001b[0m');
});
