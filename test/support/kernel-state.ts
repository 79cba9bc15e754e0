import type { Client } from '../../src/cli/client.ts';
import { PROTOCOL_NUMBERS, parseProtocol } from '../../src/model/protocol.ts';
import { runIn } from './command.ts';

/** How to run a program in a network namespace. */
export type RunIn = (namespace: string, program: string, args: readonly string[]) => Promise<string>;

const ELEMENT =
  /([\da-f.:]+ \. \d+ \. \d+) counter packets \d+ bytes \d+ (?:timeout \S+ expires \S+ )?comment "([^"]+)" : ([\da-f.:]+ \. \d+)/g;

/** The forwards of single ports that are in the kernel, in order: `198.51.100.1 . 6 . 5001 : 10.20.0.11 . 22 (id)`. */
export async function elementsIn(namespace: string, run: RunIn = runIn): Promise<readonly string[]> {
  const text = await run(namespace, 'nft', ['--numeric', 'list', 'ruleset']);
  return Array.from(text.matchAll(ELEMENT), ([, key, id, value]) => `${key} : ${value} (${id})`).sort();
}

/** The same for the forwards that the daemon says are active in this router. */
export async function activeElements(client: Client, router: string): Promise<readonly string[]> {
  const forwards = await client.listForwards({ router, state: 'active' });
  return forwards
    .map(({ id, protocol, status, external_port, internal_address, internal_port }) => {
      const external = `${status.nodes[0]?.external_address} . ${PROTOCOL_NUMBERS[parseProtocol(protocol)]}`;
      return `${external} . ${external_port} : ${internal_address} . ${internal_port} (${id})`;
    })
    .sort();
}

/** Everything in the namespace's ruleset, in an order that does not depend on the kernel's hashing. */
export async function rulesetOf(namespace: string, run: RunIn = runIn): Promise<string> {
  const text = await run(namespace, 'nft', ['--numeric', '--stateless', 'list', 'ruleset']);
  const lines = text
    .split(/,?\n/)
    .map((line) => line.replace(/elements = \{ | \}$/g, '').trim())
    .filter((line) => line !== '');
  return lines.sort().join('\n');
}
