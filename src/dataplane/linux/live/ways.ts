import type { TraceMessage } from '../../../kernel/nft/nft-trace.ts';
import type { KernelStep, KernelWay, PacketOutcome } from '../../../model/observation.ts';
import { CHAINS } from '../iptables/rules.ts';
import { TABLE, WATCH_PREFIX } from '../nftables/layout.ts';
import type { TracedPacket } from './collector.ts';
import type { Ruleset } from './ruleset.ts';
import { LAST } from './watch-table.ts';

/** The packet's way; tables like `watchTable` are no part of it, but that one tells how it began and ended. `null`: unclear. */
export function wayOf({ messages }: TracedPacket, watchTable: string, ruleset: Ruleset): KernelWay | null {
  const [first] = messages;
  if (first === undefined || first.ends === null) return null;
  const last = messages.findLast(({ table, ends }) => table === watchTable && ends !== null);
  const outcome = outcomeOf(messages, last);
  const isOut = outcome === 'forwarded' || outcome === 'delivered';
  return {
    arrived: first.ends,
    from: first.from,
    steps: messages
      .filter(({ table, kind, handle }) => !table.startsWith(WATCH_PREFIX) && (kind === 'policy' || handle !== null))
      .map((message) => stepOf(message, ruleset)),
    outcome,
    left: isOut ? (last?.ends ?? null) : null,
    to: outcome === 'forwarded' ? (last?.to ?? null) : null,
  };
}

/** Whether it was led as its flow had begun: connection tracking says so, or it went all its way without being translated anew. */
export function isOfKnownFlow({ messages }: TracedPacket, way: KernelWay, ruleset: Ruleset): boolean {
  if (messages.some(({ flow }) => flow?.established)) return true;
  const asked = way.steps.some(({ base }) => base?.type === 'nat');
  return !asked && way.left !== null && ruleset.translatesAt(way.from === null ? 'output' : 'prerouting');
}

function outcomeOf(messages: readonly TraceMessage[], last: TraceMessage | undefined): PacketOutcome {
  if (last?.chain === LAST.forwarded) return 'forwarded';
  if (last?.chain === LAST.delivered) return 'delivered';
  return messages.at(-1)?.verdict === 'drop' ? 'dropped' : 'lost';
}

function stepOf({ family, table: name, chain, handle, verdict }: TraceMessage, ruleset: Ruleset): KernelStep {
  const table = `${family} ${name}`;
  return {
    table,
    chain,
    base: ruleset.base(table, chain),
    rule: handle === null ? null : ruleset.rule(table, chain, handle),
    handle,
    verdict,
    ours: table === `inet ${TABLE}` || (name === 'nat' && CHAINS.some((own) => own === chain)),
  };
}
