import { constants } from 'node:fs';
import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FarewellMemory } from '../dataplane/farewell-memory.ts';
import { parseAddress } from '../model/address.ts';
import { parseCidr } from '../model/cidr.ts';
import { HatobaError } from '../model/errors.ts';
import { isUuid } from '../model/ids.ts';
import { parsePortRange, printPortRange } from '../model/port-range.ts';
import { parseProtocol } from '../model/protocol.ts';
import type { Rule } from '../program/rule.ts';

/** As `a`, but not through a link that another user may have put there. */
const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;

/** A file for each instance, a line for each rule; lines that cannot be read tell of nothing. */
export function openFarewellFiles(directory: string): FarewellMemory {
  let known: Promise<Set<string>> | undefined;
  const files = () => {
    known ??= list(directory);
    return known;
  };
  return {
    async recall(id) {
      if (!(await files()).has(id)) return [];
      const text = await readFile(join(directory, id), 'utf8');
      return text.split('\n').flatMap(readRule);
    },

    async remember(id, rules) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      (await files()).add(id);
      // Behind a line that was not finished, too.
      await appendFile(join(directory, id), `\n${rules.map(printRule).join('\n')}\n`, { mode: 0o600, flag: APPEND });
    },

    async forget(id) {
      await rm(join(directory, id), { force: true });
      (await files()).delete(id);
    },
  };
}

/** Without anything in it, there is no directory. */
async function list(directory: string): Promise<Set<string>> {
  try {
    return new Set(await readdir(directory));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return new Set();
    throw error;
  }
}

function printRule({ forward, protocol, external, externalPorts, internal, internalPorts, sources }: Rule): string {
  const [from, to] = [externalPorts, internalPorts].map(printPortRange);
  return [forward, protocol, external.text, from, internal.text, to, ...sources.map(({ text }) => text)].join(' ');
}

function readRule(line: string): readonly Rule[] {
  const [forward = '', protocol = '', external = '', from = '', internal = '', to = '', ...sources] = line.split(' ');
  if (!isUuid(forward)) return [];
  try {
    const rule: Rule = {
      forward,
      protocol: parseProtocol(protocol),
      external: parseAddress(external),
      externalPorts: parsePortRange(from),
      internal: parseAddress(internal),
      internalPorts: parsePortRange(to),
      sources: sources.map(parseCidr),
      expiresAt: null,
    };
    return [rule];
  } catch (error) {
    if (error instanceof HatobaError) return [];
    throw error;
  }
}
