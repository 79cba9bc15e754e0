import type { CommandContext } from '@stricli/core';

export interface Stream {
  readonly write: (text: string) => unknown;
  /** Whether a person reads it. */
  readonly isTTY?: boolean;
}

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** A terminal that is drawn on as a whole. Disposing gives it back as it was. */
export interface Screen extends Disposable {
  size(): ScreenSize;
  /** Lines that fit the size, without anything that steers the terminal; `heading` is set off from the others. */
  draw(lines: readonly string[], heading: number): void;
  /** The next key that was pressed, `resize`, `end` where the person wants to leave, or what `tell` said; `null` after `ms`. */
  next(ms: number): Promise<string | null>;
  tell(event: string): void;
}

/** Everything a command knows of the world around it, so that it runs in a test as it does in a process. */
export interface CliContext extends CommandContext {
  readonly process: {
    readonly stdout: Stream;
    readonly stderr: Stream;
    /** Set by a command that goes on after a failure; otherwise what it throws decides. */
    exitCode?: number | string | null;
  };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Standard input to its end, where there is one. */
  readonly readStdin?: () => Promise<Uint8Array | string>;
  /** The terminal as a whole, for what is drawn anew again and again; only where a person sits before it. */
  readonly openScreen?: () => Promise<Screen>;
  /** Asks a person, where one is there: what was typed, up to the end of the line. */
  readonly ask?: (question: string) => Promise<string>;
  /** What relative paths start from. */
  readonly cwd: () => string;
}

export function absolute(context: CliContext, path: string): string {
  return path.startsWith('/') ? path : `${context.cwd()}/${path}`;
}

/** Whether escape sequences may be written there (https://no-color.org). */
export function mayColour(context: CliContext, stream: Stream): boolean {
  return stream.isTTY === true && !context.env['NO_COLOR'] && context.env['TERM'] !== 'dumb';
}
