import type { ReadStream, WriteStream } from 'node:tty';
import type { Screen } from './context.ts';

/** ECMA-48, and of xterm's private modes 1049 (another screen) and 25 (the cursor). */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const ERASE_LINE = '\u001b[K';
const ERASE_BELOW = '\u001b[J';
const [INVERSE, PLAIN] = ['\u001b[7m', '\u001b[0m'];

const ENDINGS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** What a keyboard sends for Ctrl-C and Ctrl-D where no line is being edited. */
const ENDING_KEYS = new Set(['\u0003', '\u0004']);

/** Size of a terminal that does not tell its own. */
const USUAL = { columns: 80, rows: 24 };

/**
 * What draws the lines from the top of the screen and leaves nothing else on it. What was there is erased before a line and
 * not behind it: the cursor of xterm stays on the last column when that has been written, and erasing begins under it.
 */
export function frame(lines: readonly string[], heading: number): string {
  const styled = lines.map((line, index) => (index === heading ? `${INVERSE}${line}${PLAIN}` : line));
  const last = styled.pop() ?? '';
  return `${HOME}${styled.map((line) => `${ERASE_LINE}${line}\r\n`).join('')}${ERASE_BELOW}${last}`;
}

export function openScreen(stdin: ReadStream, stdout: WriteStream): Screen {
  const queue: string[] = [];
  let wake = () => {};
  const tell = (event: string) => {
    queue.push(event);
    wake();
  };
  const onKeys = (keys: Buffer) => {
    for (const key of keys.toString('utf8')) tell(ENDING_KEYS.has(key) ? 'end' : key);
  };
  const onResize = () => tell('resize');
  const onSignal = () => tell('end');
  const leave = () => stdout.write(LEAVE);

  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on('data', onKeys);
  }
  stdout.on('resize', onResize);
  for (const signal of ENDINGS) process.on(signal, onSignal);
  process.once('exit', leave);
  stdout.write(ENTER);

  return {
    size: () => ({ columns: stdout.columns || USUAL.columns, rows: stdout.rows || USUAL.rows }),
    draw(lines, heading) {
      stdout.write(frame(lines, heading));
    },
    async next(ms) {
      if (queue.length === 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
        wake = () => {};
      }
      return queue.shift() ?? null;
    },
    tell,
    [Symbol.dispose]() {
      process.off('exit', leave);
      for (const signal of ENDINGS) process.off(signal, onSignal);
      stdout.off('resize', onResize);
      if (stdin.isTTY) {
        stdin.off('data', onKeys);
        stdin.setRawMode(false);
        stdin.pause();
      }
      leave();
    },
  };
}
