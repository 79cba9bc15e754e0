import { type ApplicationContext, proposeCompletions } from '@stricli/core';
import { buildCli } from '../app.ts';
import type { CliContext } from '../context.ts';
import { visible } from '../output/text.ts';

/** A value of `--flag=value`, as it is typed so far. */
const ATTACHED = /^(--[a-z][a-z-]*)=(.*)$/;

/**
 * The lines that answer the last of the words typed after `hatoba`: a candidate, then a tab and what it is where
 * that says something. Flags only where a hyphen was typed or nothing else fits.
 */
export async function proposeLines(context: CliContext, words: readonly string[]): Promise<readonly string[]> {
  const attached = ATTACHED.exec(words.at(-1) ?? '');
  const asked = attached === null ? words : [...words.slice(0, -1), attached[1] ?? '', attached[2] ?? ''];
  const prefix = attached === null ? '' : `${attached[1]}=`;
  const app = await buildCli(words.length > 1 ? words[0] : undefined, false);
  const all = await proposeCompletions(app, asked, within(context, words));
  const others = all.filter(({ kind }) => kind !== 'argument:flag');
  const wanted = asked.at(-1)?.startsWith('-') === true || others.length === 0 ? all : others;
  return wanted
    .filter(({ completion }) => completion !== '--')
    .map(({ kind, completion, brief }) => {
      return prefix + visible(completion) + (kind === 'argument:value' ? '' : `\t${brief}`);
    });
}

/** The daemon to ask is the one that the line names. */
function within(context: CliContext, words: readonly string[]): CliContext & ApplicationContext {
  const [socket, url] = [valueAfter('--socket', words), valueAfter('--url', words)];
  if (socket === undefined && url === undefined) return context;
  return { ...context, env: { ...context.env, HATOBA_SOCKET: socket, HATOBA_URL: url } };
}

function valueAfter(flag: string, words: readonly string[]): string | undefined {
  const index = words.lastIndexOf(flag, words.length - 2);
  const attached = `${flag}=`;
  return index < 0 ? words.findLast((word) => word.startsWith(attached))?.slice(attached.length) : words[index + 1];
}
