import { ip } from '../support/command.ts';
import type { Network } from '../support/network.ts';

/** A second interface outside, with machines of its own: as of a router with two providers. */
export const SECOND = 'qg-second';
export const SECOND_GATEWAY = '100.64.7.1';
export const SECOND_CLIENT = '100.64.7.5';
/** A machine in the network of that client, whose answers go to the client itself. */
export const SECOND_SERVER = '100.64.7.9';

/** Adds it to a network's router, and gives the names of the namespaces of its client and its server. */
export async function addSecondOutside({
  namespaces,
  router,
}: Network): Promise<{ readonly client: string; readonly server: string }> {
  const [client, server, wire] = ['second', 'server', 'wire'].map((label) => namespaces.name(label));
  if (client === undefined || server === undefined || wire === undefined) throw new TypeError('there are three names');
  for (const namespace of [client, server, wire]) await namespaces.add(namespace);
  // A bridge of the router's own would take what passes between the two through the router's rules (br_netfilter).
  await ip(
    wire,
    'link add br0 type bridge',
    `link add port-1 type veth peer name eth0 netns ${client}`,
    `link add port-2 type veth peer name eth0 netns ${server}`,
    `link add port-3 type veth peer name ${SECOND} netns ${router}`,
    ...['port-1', 'port-2', 'port-3'].flatMap((port) => [`link set ${port} master br0`, `link set ${port} up`]),
    'link set br0 up',
  );
  await ip(client, `address add ${SECOND_CLIENT}/24 dev eth0`, 'link set eth0 up');
  await ip(server, `address add ${SECOND_SERVER}/24 dev eth0`, 'link set eth0 up');
  await ip(router, `address add ${SECOND_GATEWAY}/24 dev ${SECOND}`, `link set ${SECOND} up`);
  return { client, server };
}
