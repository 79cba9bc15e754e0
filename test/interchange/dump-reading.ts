import { type DumpOptions, forwardsOfDump } from '../../src/interchange/iptables-forwards.ts';
import { type ForwardInput, parseForwardSpec, printForwardSpec } from '../../src/model/forward.ts';

const PREROUTING = ':PREROUTING ACCEPT [0:0]';

/** A dump whose nat table has these lines; the first of them is line 3. */
export function dump(...lines: readonly string[]): string {
  return ['*nat', PREROUTING, ...lines, 'COMMIT', ''].join('\n');
}

/** `protocol address:ports from sources -> address:ports` of what is taken over, and reasons by line of what is not. */
export function read(text: string, options: Partial<DumpOptions> = {}) {
  const { taken, left, bypassed, foreign } = forwardsOfDump(text, { file: 'dump', router: 'r1', ...options });
  return {
    taken: taken.map(({ forward }) => print(forward)),
    left: [...left, ...bypassed].map(({ line, reason }) => `${line} ${reason}`),
    foreign,
  };
}

function print(input: ForwardInput): string {
  const { protocol, external_address, external_port, sources, internal_address, internal_port } = printForwardSpec(
    parseForwardSpec(input),
  );
  const from = sources.length === 0 ? '' : ` from ${sources.join(' ')}`;
  return `${protocol} ${external_address} ${external_port}${from} -> ${internal_address} ${internal_port}`;
}
