import { ip, runIn } from './command.ts';
import { createNamespaces, type Namespaces } from './namespaces.ts';

/**
 * outside client – router – instance, each a network namespace, tied together by veth pairs, IPv4 and IPv6. The
 * client has no route to the inner network: what reaches the instance went through a forward. Disposing removes all.
 */
export interface Network extends AsyncDisposable {
  readonly namespaces: Namespaces;
  readonly client: string;
  readonly router: string;
  readonly instance: string;
  /** Makes the router with its cables, addresses and routes; also after somebody deleted it in whatever way. */
  addRouter(): Promise<void>;
  /** Deletes it as `ip netns delete` does: it may live on while somebody holds it. */
  removeRouter(): Promise<void>;
}

/** Interfaces of the router; in the others there is one, `eth0`. */
export const OUTSIDE = 'qg-outside';
export const INSIDE = 'qr-inside';

export const CLIENT = { 4: '198.51.100.5', 6: '2001:db8:100::5' } as const;
/** The router's own addresses outside. */
export const GATEWAY = { 4: '198.51.100.1', 6: '2001:db8:100::1' } as const;
/** More outside addresses that lead to the router, though it does not have them itself. */
export const ROUTED = { 4: '203.0.113.7', 6: '2001:db8:113::7' } as const;
export const INSTANCE = { 4: '10.20.0.11', 6: 'fd00:20::11' } as const;
/** A second address of the instance. */
export const INSTANCE_TOO = { 4: '10.20.0.12', 6: 'fd00:20::12' } as const;
const INNER_GATEWAY = { 4: '10.20.0.1', 6: 'fd00:20::1' } as const;

const FORWARDING = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'] as const;
/** Instead of half a minute: how long a test takes must not decide which flows are still tracked. */
const LONG_FLOWS = ['net.netfilter.nf_conntrack_udp_timeout=600', 'net.netfilter.nf_conntrack_udp_timeout_stream=600'];

/** `router`: the name of its namespace, where it matters. */
export async function createNetwork(options: { readonly router?: string } = {}): Promise<Network> {
  const namespaces = await createNamespaces();
  const [client, instance] = [namespaces.name('client'), namespaces.name('instance')];
  const router = options.router ?? namespaces.name('router');
  const network: Network = {
    namespaces,
    client,
    router,
    instance,
    addRouter,
    removeRouter: () => namespaces.remove(router),
    [Symbol.asyncDispose]: () => namespaces[Symbol.asyncDispose](),
  };
  try {
    await namespaces.add(client);
    await namespaces.add(instance);
    await addRouter();
  } catch (error) {
    await namespaces[Symbol.asyncDispose]();
    throw error;
  }
  return network;

  async function addRouter(): Promise<void> {
    await namespaces.add(router);
    await runIn(router, 'sysctl', ['--quiet', '--write', ...FORWARDING, ...LONG_FLOWS]);
    for (const end of [client, instance]) await removeOldCable(end);
    await ip(
      router,
      `link add ${OUTSIDE} type veth peer name eth0 netns ${client}`,
      `link add ${INSIDE} type veth peer name eth0 netns ${instance}`,
      ...addressed(OUTSIDE, `${GATEWAY[4]}/24`, `${GATEWAY[6]}/64`),
      ...addressed(INSIDE, `${INNER_GATEWAY[4]}/24`, `${INNER_GATEWAY[6]}/64`),
    );
    await ip(
      client,
      ...addressed('eth0', `${CLIENT[4]}/24`, `${CLIENT[6]}/64`),
      `route add ${ROUTED[4]} via ${GATEWAY[4]}`,
      `route add ${ROUTED[6]} via ${GATEWAY[6]}`,
    );
    await ip(
      instance,
      ...addressed('eth0', `${INSTANCE[4]}/24`, `${INSTANCE_TOO[4]}/24`, `${INSTANCE[6]}/64`, `${INSTANCE_TOO[6]}/64`),
      `route add default via ${INNER_GATEWAY[4]}`,
      `route add default via ${INNER_GATEWAY[6]}`,
    );
  }
}

/** A namespace that was deleted takes its interfaces with it only some time later. */
async function removeOldCable(namespace: string): Promise<void> {
  const links = await runIn(namespace, 'ip', ['-brief', 'link', 'show', 'type', 'veth']);
  if (links.includes('eth0')) await ip(namespace, 'link delete eth0');
}

function addressed(link: string, ...addresses: readonly string[]): readonly string[] {
  const added = addresses.map(
    (address) => `address add ${address} dev ${link}${address.includes(':') ? ' nodad' : ''}`,
  );
  return [...added, `link set ${link} up`];
}
