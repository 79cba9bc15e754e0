import type { FastifyInstance, FastifyPluginCallback } from 'fastify';
import { createNeutronClient } from '../../../openstack/neutron/client.ts';
import type { Upstream } from '../../../openstack/neutron/upstream.ts';
import type { Registry } from '../../../registry/registry.ts';
import { createSerialQueue } from '../../../registry/serial-queue.ts';
import type { RouteDeps } from '../../deps.ts';
import type { NeutronDeps } from '../deps.ts';
import { answerFaults, answerWithRequestIds } from '../fault-answers.ts';
import { serveFloatingIp } from '../floating-ips.ts';
import type { NeutronOptions } from '../options.ts';
import { servePortForwardings } from '../port-forwardings.ts';
import { type NeutronRoute, readBodies } from '../serving.ts';
import { DERIVED_ID } from '../standalone/derived-ids.ts';
import { createIdentities } from '../standalone/identities.ts';
import { createDepartures } from './departures.ts';
import { passOnTags } from './gateway-tags.ts';
import { guardedChanges } from './guarded-changes.ts';
import { serveMergedExtensions } from './merged-extensions.ts';
import { isOfPort, listFloatingIps } from './merged-floating-ips.ts';
import type { UpstreamOptions } from './options.ts';
import { refuseOwnSecrets } from './own-secrets.ts';
import { passOn } from './pass-on.ts';
import { type PassedOnDeps, passedOn, untouched } from './passed-on.ts';
import { servePluginOff } from './plugin-off.ts';
import { startSweeps } from './sweeps.ts';
import { createUpstreamTopology } from './topology.ts';

/** What is under way when the API ends has so long to be answered, in milliseconds. */
const PARTING = 3_000;

const GATEWAY_IP = `/floatingips/:floatingip(^${DERIVED_ID}$)`;

/** `/` and `/healthcheck`, as Neutron answers them. */
export function upstreamVersions({ upstream }: Pick<UpstreamOptions, 'upstream'>): FastifyPluginCallback {
  return (api, _options, done) => {
    answerFaults(api);
    refuseOwnSecrets(api);
    api.register(
      untouched((routes) => {
        const options = { exposeHeadRoute: false, config: { access: 'passed-on' } } as const;
        for (const path of ['/', '/healthcheck', '/healthcheck/*']) {
          routes.all(path, options, (request, reply) => passOn(upstream, request, reply));
        }
      }),
    );
    done();
  };
}

/** Neutron's API in front of Neutron itself; for `/v2.0`. What belongs to gateways is ours, all else is passed on. */
export function upstreamNeutron(
  given: RouteDeps & { readonly registry: Registry },
  { upstream, owners, account, sweepInterval }: UpstreamOptions,
  { singlePortRanges = true }: Pick<NeutronOptions, 'singlePortRanges'> = {},
): FastifyPluginCallback {
  return (api, _options, done) => {
    const neutron = createNeutronClient(upstream);
    const { forwards } = given.registry;
    const topology = createUpstreamTopology(neutron, createIdentities(), owners);
    const deps: NeutronDeps = { ...given, topology, singlePortRanges, queue: createSerialQueue() };
    const passing = { upstream, neutron, forwards, departures: createDepartures(neutron, forwards) };
    answerFaults(api);
    refuseOwnSecrets(api);
    api.register((ours, _none, ready) => {
      serveOurs(ours, deps);
      serveFloatingIps(ours, deps, passing);
      serveMergedExtensions(ours, neutron);
      ready();
    });
    api.register(passOnTags(upstream, deps, GATEWAY_IP));
    api.register(servePluginOff(upstream, neutron));
    api.register(passedOn(passing));
    api.register(guardedChanges(passing));
    partFrom(api, upstream);
    sweepWhileServing(api, () => startSweeps({ neutron, forwards, owners, account, log: api.log }, sweepInterval));
    done();
  };
}

function serveOurs(api: FastifyInstance, deps: NeutronDeps): void {
  answerWithRequestIds(api);
  readBodies(api);
  serveFloatingIp(api, deps, GATEWAY_IP);
  servePortForwardings(api, deps, GATEWAY_IP);
}

/** Who is nobody here, as most services of OpenStack are, has no gateways, and is answered by Neutron alone. */
function serveFloatingIps(
  api: FastifyInstance,
  deps: NeutronDeps,
  { upstream, neutron }: Pick<PassedOnDeps, 'upstream' | 'neutron'>,
): void {
  const options = { exposeHeadRoute: false, config: { access: 'passed-on' } } as const;
  api.get<NeutronRoute>('/floatingips', options, async (request, reply) => {
    const isTheirs = isOfPort(request) || (await request.recognize(reply)) === null;
    return isTheirs ? passOn(upstream, request, reply) : listFloatingIps(deps, neutron, request);
  });
}

/** An end of the API waits for answers, but not for as long as Neutron may take for one. */
function partFrom(api: FastifyInstance, upstream: Upstream): void {
  let parting: NodeJS.Timeout | undefined;
  api.addHook('preClose', (done) => {
    parting = setTimeout(() => upstream.close(), PARTING);
    done();
  });
  api.addHook('onClose', (_api, done) => {
    clearTimeout(parting);
    done();
  });
}

function sweepWhileServing(api: FastifyInstance, start: () => () => Promise<void>): void {
  let stop = (): Promise<void> => Promise.resolve();
  api.addHook('onListen', (done) => {
    stop = start();
    done();
  });
  api.addHook('onClose', () => stop());
}
