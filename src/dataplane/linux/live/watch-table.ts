import type { TableSource } from '../../../kernel/nft/nft-compile.ts';
import type { Family } from '../../../model/address.ts';
import type { WatchedFlow } from '../../../model/observation.ts';
import { PROTOCOL_NUMBERS } from '../../../model/protocol.ts';

/** Chains whose rules mark packets, as they come to the router and as it makes them itself; and their answers. */
export const MARKING = { request: ['arriving', 'starting'], reply: ['answering', 'returning'] } as const;
/** Chains that packets come to last. */
export const LAST = { forwarded: 'leaving', delivered: 'delivering' } as const;

interface Chain {
  readonly name: string;
  readonly hook: string;
  readonly priority: number;
}

/**
 * linux/netfilter_ipv4.h: before NF_IP_PRI_RAW but with fragments put together; answers right after NF_IP_PRI_CONNTRACK, which
 * alone knows what they answer; and behind NF_IP_PRI_NAT_SRC and all that others usually have.
 */
const [BEFORE, TRACKED, BEHIND] = [-350, -199, 1000];

const CHAINS: readonly Chain[] = [
  { name: MARKING.request[0], hook: 'prerouting', priority: BEFORE },
  { name: MARKING.request[1], hook: 'output', priority: BEFORE },
  { name: MARKING.reply[0], hook: 'prerouting', priority: TRACKED },
  { name: MARKING.reply[1], hook: 'output', priority: TRACKED },
  { name: LAST.forwarded, hook: 'postrouting', priority: BEHIND },
  { name: LAST.delivered, hook: 'input', priority: BEHIND },
];

/** A flow can be fast, and each of its packets would be told about; one is enough, the next is for where that got lost. */
const MARK = 'limit rate 1/second burst 1 packets meta nftrace set 1';

/**
 * The table that has the kernel trace packets of this flow, and answers to it. Printed from typed values: no text of a user
 * gets here but `name`, which is ours.
 */
export function printWatchTable(name: string, flow: WatchedFlow): TableSource {
  const table = `inet ${name}`;
  const rules = [
    ...MARKING.request.map((chain) => `${chain} ${requestMatch(flow)} ${MARK}`),
    ...MARKING.reply.map((chain) => `${chain} ${replyMatch(flow)} ${MARK}`),
  ];
  const lines = [
    `add table ${table}`,
    ...CHAINS.map(({ name: chain, hook, priority }) => {
      return `add chain ${table} ${chain} { type filter hook ${hook} priority ${priority} ; policy accept ; }`;
    }),
    ...rules.map((rule) => `add rule ${table} ${rule}`),
  ];
  return { name, script: `${lines.join('\n')}\n` };
}

function requestMatch({ protocol, source, sourcePort, destination, port }: WatchedFlow): string {
  const ip = wordOf(source.family);
  const from = sourcePort === null ? '' : ` th sport ${sourcePort}`;
  const addresses = `${ip} saddr ${source.text} ${ip} daddr ${destination.text}`;
  return `${addresses} meta l4proto ${PROTOCOL_NUMBERS[protocol]} th dport ${port}${from}`;
}

/** By what the first packet of its flow was, whatever has been translated since. */
function replyMatch({ protocol, source, sourcePort, destination, port }: WatchedFlow): string {
  const ip = wordOf(source.family);
  const from = sourcePort === null ? '' : ` ct original proto-src ${sourcePort}`;
  const addresses = `ct original ${ip} saddr ${source.text} ct original ${ip} daddr ${destination.text}`;
  const match = `meta l4proto ${PROTOCOL_NUMBERS[protocol]} ct original proto-dst ${port}${from}`;
  return `ct direction reply ${addresses} ${match}`;
}

function wordOf(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}
