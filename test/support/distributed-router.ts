import { ip, runIn } from './command.ts';
import { createL3Agent } from './l3-agent.ts';
import { createNamespaces, type Namespaces } from './namespaces.ts';
import { CLIENT, GATEWAY, INSTANCE } from './network.ts';
import { NO_SCOPE } from './neutron-network.ts';

/**
 * A distributed router of Neutron's, on a node that has its central part, too: `qrouter-…` is the gateway that instances
 * know; from there what goes outside is sent on, over the inner network, to `snat-…`, which has the outside address.
 * Disposing removes it with its neighbourhood.
 */
export interface DistributedRouter extends AsyncDisposable {
  /** Network namespaces of its two parts. */
  readonly local: string;
  readonly central: string;
  /** That of a machine outside. */
  readonly client: string;
  /** Those of two machines of the inner network. */
  readonly instance: string;
  readonly neighbour: string;
}

export const NEIGHBOUR = '10.20.0.13';
/** Addresses of the two parts in the inner network. */
export const [LOCAL, CENTRAL] = ['10.20.0.1', '10.20.0.2'];

const [LOCAL_INSIDE, CENTRAL_INSIDE, OUTSIDE] = ['qr-inside', 'sg-inside', 'qg-outside'];
/** As Neutron has it: a table for each inner network, asked after the main one for what comes from there. */
const TABLE = 40_000;

export async function createDistributedRouter(uuid: string): Promise<DistributedRouter> {
  const namespaces = await createNamespaces();
  try {
    return await wire(uuid, namespaces);
  } catch (error) {
    await namespaces[Symbol.asyncDispose]();
    throw error;
  }
}

async function wire(uuid: string, namespaces: Namespaces): Promise<DistributedRouter> {
  const [local, central] = [`qrouter-${uuid}`, `snat-${uuid}`];
  const name = (label: string) => namespaces.name(label);
  const [client, instance, neighbour, bridge] = [name('client'), name('instance'), name('neighbour'), name('bridge')];
  for (const namespace of [local, central, client, instance, neighbour, bridge]) await namespaces.add(namespace);
  await ip(bridge, 'link add bridge type bridge', 'link set bridge up');
  await plug(bridge, local, LOCAL_INSIDE, LOCAL);
  await plug(bridge, central, CENTRAL_INSIDE, CENTRAL);
  await plug(bridge, instance, 'eth0', INSTANCE[4]);
  await plug(bridge, neighbour, 'eth0', NEIGHBOUR);
  for (const namespace of [instance, neighbour]) await ip(namespace, `route add default via ${LOCAL}`);
  await ip(
    central,
    `link add ${OUTSIDE} type veth peer name eth0 netns ${client}`,
    `address add ${GATEWAY[4]}/24 dev ${OUTSIDE}`,
    `link set ${OUTSIDE} up`,
  );
  await ip(client, `address add ${CLIENT[4]}/24 dev eth0`, 'link set eth0 up');
  await ip(
    local,
    `rule add from ${LOCAL}/24 priority ${TABLE} lookup ${TABLE}`,
    `route add default via ${CENTRAL} dev ${LOCAL_INSIDE} table ${TABLE}`,
  );
  for (const part of [local, central]) {
    const redirects = ['all', 'default', part === local ? LOCAL_INSIDE : CENTRAL_INSIDE];
    const settings = redirects.map((place) => `net.ipv4.conf.${place}.send_redirects=0`);
    await runIn(part, 'sysctl', ['--quiet', '--write', 'net.ipv4.ip_forward=1', ...settings]);
  }
  await createL3Agent(central, 'nft').replay({
    outside: OUTSIDE,
    gateway: GATEWAY[4],
    outsideScope: NO_SCOPE,
    inside: [{ name: CENTRAL_INSIDE, scope: NO_SCOPE }],
    floatingIps: [],
    portForwardings: [],
  });
  return { local, central, client, instance, neighbour, [Symbol.asyncDispose]: namespaces[Symbol.asyncDispose] };
}

/** Into the bridge of the inner network. */
async function plug(bridge: string, namespace: string, link: string, address: string): Promise<void> {
  const port = `port-${address.split('.').at(-1)}`;
  await ip(
    bridge,
    `link add ${port} type veth peer name ${link} netns ${namespace}`,
    `link set ${port} master bridge`,
    `link set ${port} up`,
  );
  await ip(namespace, `address add ${address}/24 dev ${link}`, `link set ${link} up`);
}
