import type { FastifyPluginCallback } from 'fastify';
import { createSerialQueue } from '../../registry/serial-queue.ts';
import type { RouteDeps } from '../deps.ts';
import { serveExtensions } from './extensions.ts';
import { answerFaults, answerWithRequestIds } from './fault-answers.ts';
import { serveFloatingIps } from './floating-ips.ts';
import type { NeutronOptions } from './options.ts';
import { servePortForwardings } from './port-forwardings.ts';
import { readBodies } from './serving.ts';
import { serveGatewayTags } from './standalone/gateway-tags.ts';
import { createIdentities } from './standalone/identities.ts';
import { serveLookups } from './standalone/lookups.ts';
import { createPorts } from './standalone/ports.ts';
import { createStandaloneTopology } from './standalone/topology.ts';
import { serveResources, serveVersions } from './versions.ts';

/** `/`, which tells of the API under `/v2.0`. */
export const neutronVersions: FastifyPluginCallback = (api, _options, done) => {
  answerFaults(api);
  serveVersions(api);
  done();
};

/** Neutron's API with no Neutron anywhere; for `/v2.0`. */
export function standaloneNeutron(given: RouteDeps, options: NeutronOptions): FastifyPluginCallback {
  return (api, _options, done) => {
    const identities = createIdentities();
    const ports = createPorts(identities);
    const topology = createStandaloneTopology(identities, ports);
    const { singlePortRanges = true } = options;
    const deps = { ...given, topology, singlePortRanges, queue: createSerialQueue(), identities, ports };
    answerFaults(api);
    answerWithRequestIds(api);
    readBodies(api);
    serveResources(api);
    serveExtensions(api);
    serveFloatingIps(api, deps);
    servePortForwardings(api, deps);
    serveGatewayTags(api, deps);
    serveLookups(api, deps);
    done();
  };
}
