import { type DaemonHome, openDaemonHome } from './daemon.ts';
import { createNetwork, INSIDE, type Network, OUTSIDE } from './network.ts';
import { openPeer, type Peer } from './peer.ts';

/** A daemon's place for the router of a network of its own, in which the instance answers on TCP port 22. */
export interface NetworkHome extends AsyncDisposable {
  readonly network: Network;
  readonly home: DaemonHome;
  readonly client: Peer;
  readonly instance: Peer;
}

export async function openNetworkHome(): Promise<NetworkHome> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await createNetwork());
  const routers = [{ namespace: network.router, outside: [OUTSIDE], inside: [INSIDE] }];
  const home = stack.use(await openDaemonHome({ neutron: false, routers }));
  const instance = stack.use(await openPeer(network.instance));
  await instance.serveTcp(22);
  const client = stack.use(await openPeer(network.client));
  const steps = stack.move();
  return { network, home, client, instance, [Symbol.asyncDispose]: () => steps.disposeAsync() };
}
