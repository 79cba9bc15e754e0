import { type IptablesDump, nftFamily } from '../../../interchange/rule-texts.ts';
import { addressValue } from '../../../model/address.ts';
import type { Passage } from '../../../program/facts.ts';
import type { ForeignRules } from '../foreign-rules.ts';
import { type IptablesTable, readTables } from './iptables-filter.ts';
import { type NftBaseChain, readForwardChains } from './nft-filter.ts';
import { exactly, type Mark, NO_MARK, type PassingPacket } from './passing-packet.ts';
import { type Outcome, walk } from './walk.ts';

/** What others' rules do to packets on their way through the router. */
export interface Firewall {
  /** What each chain does to the packet, in no order. */
  passages(packet: PassingPacket): readonly Passage[];
}

/** Tables of iptables whose chain FORWARD can stop a packet, as it comes to them. */
const FILTERING = ['mangle', 'filter', 'security'];

interface SavedRules extends IptablesDump {
  readonly tables: readonly IptablesTable[];
}

/** Reads the rules once, for any number of packets. */
export function createFirewall({ dumps, nft }: ForeignRules): Firewall {
  const saved = dumps.map((dump) => ({ ...dump, tables: readTables(dump.text, dump.family) }));
  const bases = nft === null ? [] : readForwardChains(nft);
  const own = bases.filter((base) => !isIptables(base, saved));
  return {
    passages: (packet) => [
      ...saved.filter(({ family }) => family === packet.family).flatMap((rules) => passIptables(rules, saved, packet)),
      ...own
        .filter(({ family }) => family === 'inet' || family === nftFamily(packet.family))
        .map((base) => passNft(base, packet)),
    ],
  };
}

/** Whether iptables-nft has it, and tells more of it than nft can. */
function isIptables({ family, table }: NftBaseChain, saved: readonly SavedRules[]): boolean {
  return saved.some((rules) => {
    const isSame = rules.variant === 'nft' && nftFamily(rules.family) === family;
    return isSame && rules.tables.some(({ name }) => name === table);
  });
}

function passIptables(rules: SavedRules, all: readonly SavedRules[], packet: PassingPacket): readonly Passage[] {
  const mark = markOf(all, packet);
  return rules.tables
    .filter(({ name }) => FILTERING.includes(name))
    .flatMap((table) => {
      const policy = table.policies.get('FORWARD');
      if (policy === undefined) return [];
      const outcome = walk(table.chains, 'FORWARD', policy, { ...packet, mark });
      const isDocker = table.chains.has('DOCKER-USER');
      return [passage(`${rules.program} ${table.name} FORWARD`, packet, outcome, isDocker ? 'docker' : null)];
    });
}

/** The mark that it has when it comes to FORWARD: what both kinds of iptables have given it before it was translated. */
function markOf(all: readonly SavedRules[], packet: PassingPacket): Mark {
  const { direction, asked } = packet;
  let arriving: PassingPacket = {
    ...packet,
    to: null,
    mark: NO_MARK,
    ...(direction === 'request' && {
      destination: exactly(addressValue(asked.address)),
      destinationPort: asked.port,
    }),
  };
  for (const { family, tables } of all) {
    if (family !== packet.family) continue;
    for (const name of ['raw', 'mangle']) {
      const table = tables.find((other) => other.name === name);
      if (table === undefined) continue;
      arriving = { ...arriving, mark: walk(table.chains, 'PREROUTING', 'accept', arriving).mark };
    }
  }
  return arriving.mark;
}

function passNft({ family, table, name, policy, chains }: NftBaseChain, packet: PassingPacket): Passage {
  const outcome = walk(chains, name, policy, packet);
  return passage(`nft ${family} ${table} ${name}`, packet, outcome, table === 'firewalld' ? 'firewalld' : null);
}

function passage(
  chain: string,
  { direction }: PassingPacket,
  { outcome, rule }: Outcome,
  author: Passage['author'],
): Passage {
  const isScope = rule?.startsWith('-A neutron-l3-agent-scope ') === true;
  return { chain, direction, outcome, rule, author: isScope ? 'address-scopes' : author };
}
