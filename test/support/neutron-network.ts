import { addInnerNetwork, INSIDE_TOO, LEFT, RIGHT } from './inner-network.ts';
import { type Backend, createL3Agent, type L3Agent } from './l3-agent.ts';
import type { NeutronRouter } from './l3-rules.ts';
import { CLIENT, createNetwork, GATEWAY, INSIDE, INSTANCE, type Network, OUTSIDE } from './network.ts';
import { openPeer, type Peer } from './peer.ts';

/** The practice network with two inner networks and an l3-agent that looks after the router. Disposing removes all. */
export interface NeutronNetwork extends AsyncDisposable {
  readonly network: Network;
  readonly agent: L3Agent;
  /** Outside; serves TCP and UDP on 7000. */
  readonly client: Peer;
  /** In the first inner network; serves TCP on 22. */
  readonly instance: Peer;
  /** Two in the second one; they serve TCP and UDP on 8080. */
  readonly left: Peer;
  readonly right: Peer;
  /** The router itself; serves TCP on 9697, where the agent's metadata proxy would be. */
  readonly router: Peer;
}

/** Neutron's: the floating IP of `left`, and one with a forward to the instance. */
export const FLOATING = '198.51.100.20';
export const FORWARDED = '198.51.100.21';
export const FORWARDED_PORT = 2000;

/** The number that networks without an address scope have, and that of a scope. */
export const NO_SCOPE = 1024;
export const OTHER_SCOPE = 1025;

/** `scope`: that of the second inner network; the first one and the outside are in none. */
export function neutronRouter(scope: number): NeutronRouter {
  const target = `${INSTANCE[4]}:22`;
  return {
    outside: OUTSIDE,
    gateway: GATEWAY[4],
    outsideScope: NO_SCOPE,
    inside: [
      { name: INSIDE, scope: NO_SCOPE },
      { name: INSIDE_TOO, scope },
    ],
    floatingIps: [{ floating: FLOATING, fixed: LEFT[4], scope }],
    portForwardings: [{ id: '59517929', floating: FORWARDED, protocol: 'tcp', ports: `${FORWARDED_PORT}`, target }],
  };
}

/** `router`: the name of its namespace, where it matters. */
export async function createNeutronNetwork(
  backend: Backend,
  options: { readonly router?: string } = {},
): Promise<NeutronNetwork> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await createNetwork(options));
  const inner = await addInnerNetwork(network);
  const agent = createL3Agent(network.router, backend);
  await agent.replay(neutronRouter(NO_SCOPE));
  const open = async (namespace: string) => stack.use(await openPeer(namespace));
  const client = await open(network.client);
  const instance = await open(network.instance);
  const left = await open(inner.left);
  const right = await open(inner.right);
  const router = await open(network.router);
  await client.serveTcp(7000);
  await client.serveUdp(7000, CLIENT[4]);
  await instance.serveTcp(22);
  for (const [peer, address] of [
    [left, LEFT],
    [right, RIGHT],
  ] as const) {
    await peer.serveTcp(8080);
    await peer.serveUdp(8080, address[4]);
  }
  await router.serveTcp(9697);
  const all = stack.move();
  return { network, agent, client, instance, left, right, router, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
