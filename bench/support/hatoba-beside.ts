import { eventually } from '../../test/support/eventually.ts';
import { createHome, startDaemon } from './daemon.ts';
import { namespaceNames, removeNamespaces } from './namespaces.ts';
import { type PortForwardings, wishOf } from './port-forwardings.ts';
import { addRouters } from './soak-steps.ts';
import { freePort } from './tcp.ts';

const ADDRESS = '10.0.0.5';
/** Of one request: as many as fit into what a body may have. */
const BULK = 500;

/** The daemon on TCP, without a Neutron, and open to everybody on this machine; with a router that has a gateway. */
export async function openHatoba(): Promise<PortForwardings> {
  await using cleanup = new AsyncDisposableStack();
  const url = `http://127.0.0.1:${await freePort()}`;
  const home = createHome({ listen: url.slice('http://'.length), authentication: 'none' });
  cleanup.defer(() => home.remove());
  removeNamespaces();
  addRouters(namespaceNames(1));
  cleanup.defer(removeNamespaces);
  const daemon = await startDaemon(home);
  cleanup.defer(() => daemon.stop());
  const path = `/v2.0/floatingips/${await firstId(url, 'floatingips')}/port_forwardings`;
  const portId = await firstId(url, `ports?name=${ADDRESS}`);
  const steps = cleanup.move();
  const opened: PortForwardings = {
    url,
    path,
    portId,
    address: ADDRESS,
    async fill(first, last) {
      for (let from = first; from <= last; from += BULK) {
        const count = Math.min(BULK, last - from + 1);
        const wishes = Array.from({ length: count }, (_, at) => wishOf(opened, from + at));
        await daemon.call('POST', path, { port_forwardings: wishes });
      }
    },
    [Symbol.asyncDispose]: () => steps.disposeAsync(),
  };
  return opened;
}

/** Of the only thing in a list; the gateway is there a little after the daemon is. */
function firstId(url: string, list: string): Promise<string> {
  return eventually(async () => {
    const answer = await (await fetch(`${url}/v2.0/${list}`)).text();
    const id = /"id":"([\da-f-]{36})"/.exec(answer)?.[1];
    if (id === undefined) throw new Error(`no ${list}: ${answer}`);
    return id;
  });
}
