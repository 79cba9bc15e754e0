import type { Kernel, Links } from '../../../kernel/kernel.ts';
import { type Address, addressValue, type Family } from '../../../model/address.ts';
import { cidrContains, networkOf } from '../../../model/cidr.ts';
import type { Counters } from '../../../model/counters.ts';
import type { ForwardId } from '../../../model/ids.ts';
import type { Gateways } from '../../../model/router.ts';
import type { InstanceFacts, RuleFacts } from '../../../program/facts.ts';
import type { Rule } from '../../../program/rule.ts';
import { takeTurns } from '../../turns.ts';
import { clientsOf } from '../firewall/clients.ts';
import { createFirewall, type Firewall } from '../firewall/passages.ts';
import { exactly, NO_MARK, type PassingPacket } from '../firewall/passing-packet.ts';
import { readForeignRules } from '../foreign-rules.ts';
import type { RouterSides } from '../namespaces.ts';
import { outsideInterfaces } from '../sides.ts';
import { examineTarget } from './target.ts';

type Asked = Pick<Kernel, 'settings' | 'flowUsage' | 'run' | 'othersTables'>;

/** A namespace that is attached, as the data plane knows it. */
export interface Examined {
  readonly id: string;
  readonly sides: RouterSides;
  readonly links: Links;
  readonly gateways: Gateways;
  /** Of what is in the kernel. */
  readonly counters: ReadonlyMap<ForwardId, Counters>;
}

const FORWARDING = { 4: 'ipv4/ip_forward', 6: 'ipv6/conf/all/forwarding' } as const;
/** networking/ip-sysctl.rst: the larger one of an interface's own and that of all counts; 1: strict. */
const reversePath = (name: string) => `ipv4/conf/${name}/rp_filter`;

/** Looks at a namespace, and at what it does with these rules. `probe`: their targets are asked, too. */
export async function examine(
  kernel: Asked,
  examined: Examined,
  rules: readonly Rule[],
  probe: boolean,
): Promise<InstanceFacts> {
  const { id, sides, links, gateways, counters } = examined;
  const names = links.interfaces.map(({ name }) => name);
  const settings = await kernel.settings(id, [...Object.values(FORWARDING), ...['all', ...names].map(reversePath)]);
  const foreign = rules.length === 0 ? null : await readForeignRules(kernel, id);
  const firewall = foreign && createFirewall(foreign);
  const outside = (family: Family) => outsideInterfaces(links, sides, family).map(({ name }) => name);
  const found = new Map<ForwardId, RuleFacts>();
  const turn = takeTurns();
  for (const rule of rules) {
    await turn();
    const target = probe ? await examineTarget(kernel, id, rule, outside(rule.external.family)) : null;
    const inner = target !== null && 'interface' in target.toTarget ? target.toTarget.interface : null;
    const way = { from: outside(rule.external.family)[0] ?? null, to: inner ?? interfaceTowards(links, rule.internal) };
    found.set(rule.forward, {
      rule,
      hasAddress: hasAddress(links, rule.external),
      connections: counters.get(rule.forward)?.connections ?? null,
      passages: firewall === null ? [] : passagesOf(firewall, rule, way),
      target,
    });
  }
  const strict = (name: string) =>
    Math.max(...['all', name].map((one) => Number(settings.get(reversePath(one)) ?? 0))) === 1;
  return {
    instance: id,
    gateways,
    outside: { 4: outside(4), 6: outside(6) },
    forwarding: { 4: isOn(settings.get(FORWARDING[4])), 6: isOn(settings.get(FORWARDING[6])) },
    flows: await kernel.flowUsage(id),
    strictReversePath: names.filter(strict),
    unread: foreign?.unread ?? [],
    rules: found,
  };
}

function isOn(value: string | undefined): boolean | null {
  return value === undefined ? null : value !== '0';
}

function hasAddress({ interfaces }: Links, wanted: Address): boolean {
  return interfaces.some(({ addresses }) => addresses.some(({ address }) => address.text === wanted.text));
}

/** The interface in whose network the address is. */
function interfaceTowards({ interfaces }: Links, wanted: Address): string | null {
  const found = interfaces.find(({ addresses }) =>
    addresses.some(({ address, prefixLength }) =>
      cidrContains(networkOf(address.family, addressValue(address), prefixLength), wanted),
    ),
  );
  return found?.name ?? null;
}

/** Of ranges the first port stands for all. */
function passagesOf(
  firewall: Firewall,
  rule: Rule,
  { from, to }: { readonly from: string | null; readonly to: string | null },
): RuleFacts['passages'] {
  const { protocol, external, externalPorts, internal, internalPorts } = rule;
  const [clients, target] = [clientsOf(rule), exactly(addressValue(internal))];
  const port = internalPorts.first;
  const common = {
    family: external.family,
    protocol,
    asked: { address: external, port: externalPorts.first },
    mark: NO_MARK,
  };
  const request: PassingPacket = {
    ...common,
    direction: 'request',
    source: clients,
    sourcePort: null,
    destination: target,
    destinationPort: port,
    from,
    to,
  };
  const reply: PassingPacket = {
    ...common,
    direction: 'reply',
    source: target,
    sourcePort: port,
    destination: clients,
    destinationPort: null,
    from: to,
    to: from,
  };
  return [...firewall.passages(request), ...firewall.passages(reply)];
}
