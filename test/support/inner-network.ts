import { ip, runIn } from './command.ts';
import type { Network } from './network.ts';

/** A second inner network of the router, with two machines on one wire. */
export interface InnerNetwork {
  /** Namespaces of the two machines. */
  readonly left: string;
  readonly right: string;
}

export const LEFT = { 4: '10.30.0.11', 6: 'fd00:30::11' } as const;
export const RIGHT = { 4: '10.30.0.12', 6: 'fd00:30::12' } as const;
export const INSIDE_TOO = 'qr-second';
/** The router's addresses in it. */
export const SECOND_GATEWAY = { 4: '10.30.0.1', 6: 'fd00:30::1' } as const;

/** Removed with the network. */
export async function addInnerNetwork({ namespaces, router }: Network): Promise<InnerNetwork> {
  const [wire, left, right] = [namespaces.name('wire'), namespaces.name('left'), namespaces.name('right')];
  for (const namespace of [wire, left, right]) await namespaces.add(namespace);
  await ip(
    wire,
    'link add bridge type bridge',
    `link add to-router type veth peer name ${INSIDE_TOO} netns ${router}`,
    `link add to-left type veth peer name eth0 netns ${left}`,
    `link add to-right type veth peer name eth0 netns ${right}`,
    ...['to-router', 'to-left', 'to-right'].flatMap((port) => [
      `link set ${port} master bridge`,
      `link set ${port} up`,
    ]),
    'link set bridge up',
  );
  await addAddresses(router, INSIDE_TOO, SECOND_GATEWAY);
  for (const [namespace, addresses] of [
    [left, LEFT],
    [right, RIGHT],
  ] as const) {
    await addAddresses(namespace, 'eth0', addresses);
    await ip(namespace, `route add default via ${SECOND_GATEWAY[4]}`, `route add default via ${SECOND_GATEWAY[6]}`);
  }
  return { left, right };
}

async function addAddresses(namespace: string, link: string, addresses: { readonly 4: string; readonly 6: string }) {
  await ip(
    namespace,
    `address add ${addresses[4]}/24 dev ${link}`,
    `address add ${addresses[6]}/64 dev ${link} nodad`,
    `link set ${link} up`,
  );
}

/** A network behind a router in the second inner network, with one machine. */
export interface RoutedNetwork {
  /** Namespaces of the router in between, and of the machine. */
  readonly innerRouter: string;
  readonly far: string;
}

/** The inner router's address in the second inner network, and that of the machine behind it. */
export const INNER_ROUTER = { 4: '10.30.0.2', 6: 'fd00:30::2' } as const;
export const FAR = { 4: '10.40.0.5', 6: 'fd00:40::5' } as const;
const FAR_GATEWAY = { 4: '10.40.0.2', 6: 'fd00:40::2' } as const;
const FAR_NETWORK = { 4: '10.40.0.0/24', 6: 'fd00:40::/64' } as const;

/** The router and the machines of the second inner network have a static route to it. Removed with the network. */
export async function addRoutedNetwork(
  { namespaces, router }: Network,
  { left, right }: InnerNetwork,
): Promise<RoutedNetwork> {
  const [wire, innerRouter, far] = [namespaces.name('wire'), namespaces.name('inner'), namespaces.name('far')];
  for (const namespace of [innerRouter, far]) await namespaces.add(namespace);
  await runIn(innerRouter, 'sysctl', ['--quiet', '--write', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  await ip(
    wire,
    `link add to-inner type veth peer name eth0 netns ${innerRouter}`,
    'link set to-inner master bridge',
    'link set to-inner up',
  );
  await addAddresses(innerRouter, 'eth0', INNER_ROUTER);
  await ip(innerRouter, `link add eth1 type veth peer name eth0 netns ${far}`);
  await addAddresses(innerRouter, 'eth1', FAR_GATEWAY);
  await addAddresses(far, 'eth0', FAR);
  for (const family of [4, 6] as const) {
    await ip(innerRouter, `route add default via ${SECOND_GATEWAY[family]}`);
    await ip(far, `route add default via ${FAR_GATEWAY[family]}`);
    for (const each of [router, left, right])
      await ip(each, `route add ${FAR_NETWORK[family]} via ${INNER_ROUTER[family]}`);
  }
  return { innerRouter, far };
}
