import { run, ExitCode as StricliExit } from '@stricli/core';
import { ERRORS, EXIT, type ExitCode } from '../model/error-catalogue.ts';
import { hatobaError } from '../model/errors.ts';
import { buildCli } from './app.ts';
import type { CliContext } from './context.ts';
import { describeError, describeHint } from './errors.ts';

/** Runs one command line, without the program's name, and gives how the process is to end. Never throws for what a user did. */
export async function runCli(inputs: readonly string[], context: CliContext): Promise<ExitCode> {
  if (inputs[0] === '__complete') return complete(takePlace(inputs.slice(1), context));
  const { words, env } = takePlace(splitEmpty(inputs), context);
  const { stdout, stderr } = context.process;
  const foreign = words.find(isInherited);
  if (foreign !== undefined) {
    const error = hatobaError('usage_malformed', { reason: `there is no flag ${foreign}` });
    stderr.write(`${describeError(error, false)}\n`);
    return error.exit;
  }
  const scope: CliContext = { ...context, env, process: { stdout, stderr } };
  await run(await buildCli(words[0], env['HATOBA_DEBUG'] === '1'), words, scope);
  return settle(scope);
}

interface CommandLine extends CliContext {
  readonly words: readonly string[];
}

async function complete({ words, ...context }: CommandLine): Promise<ExitCode> {
  const { proposeLines } = await import('./completion/propose.ts');
  const lines = await proposeLines(context, words);
  context.process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return EXIT.done;
}

function settle(context: CliContext): ExitCode {
  const { exitCode } = context.process;
  if (exitCode === StricliExit.InvalidArgument || exitCode === StricliExit.UnknownCommand) {
    context.process.stderr.write(`${describeHint(ERRORS.usage_malformed.hint)}\n`);
    return EXIT.usage;
  }
  return Object.values(EXIT).find((code) => code === exitCode) ?? EXIT.failed;
}

/** What says where the daemon is, and the variable of the environment that says the same. */
const PLACES: Readonly<Record<string, string>> = { '--socket': 'HATOBA_SOCKET', '--url': 'HATOBA_URL' };

/** Takes `--socket FILE` and `--url URL` from before the command, where stricli knows no flags with values, into the environment. */
function takePlace(inputs: readonly string[], context: CliContext): CommandLine {
  const [first = '', second] = inputs;
  const [flag = '', ...attached] = first.split('=');
  const variable = Object.hasOwn(PLACES, flag) ? PLACES[flag] : undefined;
  const value = attached.length > 0 ? attached.join('=') : second;
  if (variable === undefined || value === undefined) return { ...context, words: inputs };
  const unset = Object.fromEntries(Object.values(PLACES).map((name) => [name, undefined]));
  const env = { ...context.env, ...unset, [variable]: value };
  return { ...context, words: inputs.slice(attached.length > 0 ? 1 : 2), env };
}

/** Makes two words of `--flag=`, which stricli would take for an argument. */
function splitEmpty(inputs: readonly string[]): readonly string[] {
  const end = inputs.indexOf('--');
  return inputs.flatMap((input, index) => {
    return /^--[a-z][a-z-]*=$/.test(input) && (end < 0 || index < end) ? [input.slice(0, -1), ''] : [input];
  });
}

/** stricli looks flags up in plain objects, where it also finds what all objects have: `--constructor`, `--to-string`. */
function isInherited(word: string): boolean {
  const name = /^--(?:no-?)?([a-z][\w-]*)/i.exec(word)?.[1] ?? '';
  const camelCase = name.replaceAll(/-./g, (pair) => pair.slice(1).toUpperCase());
  return `${camelCase.charAt(0).toLowerCase()}${camelCase.slice(1)}` in Object.prototype;
}
