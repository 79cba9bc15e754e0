import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command, RouteMap } from '@stricli/core';
import { expect, test } from 'vitest';
import { buildCli } from '../../src/cli/app.ts';
import type { CliContext } from '../../src/cli/context.ts';
import { runWords } from './cli-under-test.ts';

const PAGE = join(import.meta.dirname, '../../docs/cli.md');

const INTRODUCTION = `# Command line

\`hatoba serve\` is the daemon, \`hatoba cleanup\` and \`hatoba lab\` work on this machine themselves; every other command
asks the daemon over its Unix socket: \`--socket FILE\`, before or after the command, else the environment's
\`HATOBA_SOCKET\`, else \`/run/hatoba/hatoba.sock\`. Root and the members of the group \`hatoba\` may use it.

From elsewhere, and with the rights of a token, the daemon is reached by TCP: \`--url URL\`, before or after the command, else
\`HATOBA_URL\`. The token is in \`HATOBA_TOKEN\`. With \`https://\` the daemon's certificate is checked against the authorities
that the system believes, or those in the file that \`HATOBA_CA_FILE\` names. With \`http://\` to another machine a line on
standard error says that the token can be read on the way.

**Forwards** are named by their id, by its beginning as long as no other begins so, or by their name; **routers** by
their id, its beginning, or the name of their namespace.

**Addresses** stand before their port, IPv6 in brackets: \`192.0.2.1:80\`, \`[2001:db8::1]:80\`.

**Output.** \`-o json\` and \`-o yaml\` give the API's objects, a list for listings; \`-o csv\` one line for each, with the same
words as titles; \`table\` and \`wide\` are for people and may change. There are colours only on a terminal, and none where
\`NO_COLOR\` is set. Errors and whatever else is not the answer are written to standard error: a line that begins with
\`hatoba:\`, and below it a hint.

**Waiting.** Changes return when the kernel has them, or tell why it does not: a forward whose router is on no node
*waits*, one whose router lacks an address is *pending*, and both are stored and take effect by themselves.
\`--wait SECONDS\` bounds the time, \`--no-wait\` spares it.

**Exit codes**

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | wrong usage, or invalid input |
| 3 | not found |
| 4 | conflict |
| 5 | not permitted |
| 6 | the daemon cannot be reached |
| 7 | waited in vain: not in the kernel within the time given, or nothing came that was waited for |

Of several forwards named in one command each is tried, and the highest code is the command's. [Errors](errors.md) lists
every error. With \`HATOBA_DEBUG=1\` errors also say where in the program they come from.

**Completion**: \`source <(hatoba completion bash)\` in \`~/.bashrc\`; likewise for zsh, and \`hatoba completion fish | source\`.

This page is made from the commands' own help; \`UPDATE_DOCS=1 npx vitest run test/cli/reference.test.ts\` writes it again.
`;

/** The words of every command, in the order of the help. */
function commandsIn(target: Command<CliContext> | RouteMap<CliContext>): readonly (readonly string[])[] {
  if (!('getAllEntries' in target)) return [[]];
  return target.getAllEntries().flatMap((entry) => {
    return commandsIn(entry.target).map((words) => [entry.name['convert-camel-to-kebab'], ...words]);
  });
}

const COMMANDS = commandsIn((await buildCli(undefined, false)).root);

/** docs/cli.md, whole. */
async function page(): Promise<string> {
  const sections = await Promise.all(
    [[], ...COMMANDS].map(async (words) => {
      const { stdout } = await runWords([...words, '--help']);
      return `\n## ${['hatoba', ...words].join(' ')}\n\n\`\`\`text\n${stdout.trimEnd()}\n\`\`\`\n`;
    }),
  );
  return INTRODUCTION + sections.join('');
}

test('docs/cli.md says what the commands say', async () => {
  const wanted = await page();
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, wanted);
  expect(readFileSync(PAGE, 'utf8')).toBe(wanted);
});

test('every command has help with an example of its own', async () => {
  expect(COMMANDS.length).toBeGreaterThan(15);
  for (const words of COMMANDS) {
    const help = await runWords([...words, '--help']);
    expect(help).toMatchObject({ stderr: '', exit: 0 });
    expect(help.stdout).toMatch(new RegExp(`\\nEXAMPLES\\n(.*\\n)*.*hatoba ${words.join(' ')}`));
    expect(await runWords([...words, '-h'])).toEqual(help);
  }
});

test('nouns without a command print help', async () => {
  for (const noun of ['forward', 'router', 'lab', 'completion']) {
    const { stdout, stderr, exit } = await runWords([noun]);
    expect(stdout).toContain(`hatoba ${noun} --help`);
    expect(stdout).toContain('\nEXAMPLES\n');
    expect({ stderr, exit }).toEqual({ stderr: '', exit: 0 });
    expect((await runWords([noun, '--help'])).stdout).toBe(stdout);
  }
  expect((await runWords(['--help'])).stdout).toBe((await runWords([])).stdout);
});
