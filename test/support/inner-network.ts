import { ip } from './command.ts';
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

async function addAddresses(
  namespace: string,
  link: string,
  addresses: typeof LEFT | typeof SECOND_GATEWAY | typeof RIGHT,
) {
  await ip(
    namespace,
    `address add ${addresses[4]}/24 dev ${link}`,
    `address add ${addresses[6]}/64 dev ${link} nodad`,
    `link set ${link} up`,
  );
}
