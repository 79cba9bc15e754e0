import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { NeutronClient } from '../../../openstack/neutron/client.ts';
import { credentialsIn } from '../../../openstack/neutron/credentials.ts';
import type { Document } from '../documents.ts';
import { EXTENSIONS, printExtension } from '../extensions.ts';

/** Those of the documents of floating IPs, of which Neutron's own have nothing about port forwardings without its plugin. */
const OF_FLOATING_IPS = ['expose-port-forwarding-in-fip', 'floating-ip-port-forwarding-detail'];

/** About port forwardings: all others are Neutron's to say. */
const OURS = EXTENSIONS.filter(({ alias }) => alias.includes('port-forwarding') && !OF_FLOATING_IPS.includes(alias));

/** Neutron's extensions, and those by which its clients know that forwards can be asked for. Who may know, it decides. */
export function serveMergedExtensions(api: FastifyInstance, neutron: NeutronClient): void {
  const options = { exposeHeadRoute: false, config: { access: 'passed-on' } } as const;
  api.get('/extensions', options, async (request) => ({ extensions: await merged(request) }));
  for (const { alias } of OURS) {
    api.get(`/extensions/${alias}`, options, async (request) => ({
      extension: (await merged(request)).find((known) => known['alias'] === alias),
    }));
  }

  async function merged({ headers }: FastifyRequest): Promise<readonly Document[]> {
    const theirs = await neutron.extensions(credentialsIn(headers));
    const known = new Set(theirs.map(({ alias }) => alias));
    return [...theirs, ...OURS.filter(({ alias }) => !known.has(alias)).map(printExtension)];
  }
}
