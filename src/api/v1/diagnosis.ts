import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { HatobaError, inFieldOf } from '../../model/errors.ts';
import type { Finding } from '../../model/findings.ts';
import type { Forward } from '../../model/forward.ts';
import type { RouterId } from '../../model/router.ts';
import { printTime } from '../../model/time.ts';
import { diagnoseForward, diagnoseTraffic } from '../../program/diagnosis/forward.ts';
import { diagnoseNode, diagnoseStore } from '../../program/diagnosis/node.ts';
import {
  diagnoseInstance,
  diagnoseStatus,
  diagnoseUnreadable,
  type RouterKnowledge,
} from '../../program/diagnosis/router.ts';
import type { Registry } from '../../registry/registry.ts';
import { READ, READ_ALL } from '../access/access.ts';
import type { RouteDeps } from '../deps.ts';
import type { LocalNode } from '../local-node.ts';
import { problemResponses } from '../problem.ts';
import { type DiagnosisDocument, DiagnosisQuery, DiagnosisSchema } from './diagnosis-schemas.ts';
import { ForwardParams } from './forward-schemas.ts';
import { signalOfClient, signalOfClosing } from './patience.ts';
import { findRouter } from './router-lookup.ts';

const response = { 200: DiagnosisSchema, ...problemResponses };
const allSchema = {
  operationId: 'diagnoseNode',
  summary: 'What is wrong with this node and its routers, and what to do about it',
  tags: ['diagnosis'],
  querystring: DiagnosisQuery,
  response,
};
const oneSchema = {
  operationId: 'diagnoseForward',
  summary: 'Everything that decides whether packets of a forward get through',
  tags: ['diagnosis'],
  params: ForwardParams,
  response,
};

/** Each costs a few processes. */
const AT_ONCE = 8;

/** What is wrong on this node, and what to do about it; of other nodes, nothing is known here. */
export function diagnosis({ registryOf, node, localOf, storeTrouble }: RouteDeps): FastifyPluginCallbackTypebox {
  return (api, _options, done) => {
    const closing = signalOfClosing(api);

    api.get('/diagnosis', { schema: allSchema, config: { access: READ_ALL } }, ({ caller, query }, reply) => {
      const signal = AbortSignal.any([closing, signalOfClient(reply)]);
      return createDiagnosis({ registry: registryOf(caller), node, local: localOf(caller), storeTrouble }).ofNode(
        query.router,
        signal,
      );
    });

    api.get(
      '/forwards/:reference/diagnosis',
      { schema: oneSchema, config: { access: READ } },
      ({ caller, params }, reply) =>
        createDiagnosis({ registry: registryOf(caller), node, local: localOf(caller), storeTrouble }).ofForward(
          params.reference,
          signalOfClient(reply),
        ),
    );
    done();
  };
}

interface DiagnosisDeps extends Pick<RouteDeps, 'node' | 'storeTrouble'> {
  readonly local: LocalNode;
  readonly registry: Registry;
}

interface Diagnosis {
  /** `router`: of this one only. */
  ofNode(router: string | undefined, signal: AbortSignal): Promise<DiagnosisDocument>;
  ofForward(reference: string, signal: AbortSignal): Promise<DiagnosisDocument>;
}

function createDiagnosis({ registry, node, local, storeTrouble }: DiagnosisDeps): Diagnosis {
  function knowledgeOf(router: RouterId, forwards: readonly Forward[]): RouterKnowledge {
    const status = registry.statuses.of(router).find((one) => one.node === node.name) ?? null;
    return { router, forwards, status, now: printTime(Date.now()) };
  }

  /** What is wrong with a router; what is right would fill pages. */
  async function diagnoseRouter(router: RouterId, signal: AbortSignal): Promise<readonly Finding[]> {
    const knowledge = knowledgeOf(router, [...registry.forwards.ofRouter(router).values()]);
    const found = await lookAt(knowledge, signal).catch((error: unknown) => [unreadable(router, error)]);
    return [...diagnoseStatus(knowledge), ...found].filter(({ level }) => level !== 'ok');
  }

  async function lookAt(knowledge: RouterKnowledge, signal: AbortSignal): Promise<readonly Finding[]> {
    const { router } = knowledge;
    const instances = await local.examineRouter(router, null, signal);
    return instances.flatMap((facts) => [...diagnoseInstance(knowledge, facts), ...diagnoseTraffic(router, facts)]);
  }

  async function diagnoseRouters(routers: readonly RouterId[], signal: AbortSignal): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    for (let at = 0; at < routers.length && !signal.aborted; at += AT_ONCE) {
      found.push(
        ...(await Promise.all(routers.slice(at, at + AT_ONCE).map((router) => diagnoseRouter(router, signal)))).flat(),
      );
    }
    return found;
  }

  async function lookAtNode(): Promise<readonly Finding[]> {
    const [facts, trouble] = await Promise.all([local.examineNode(), storeTrouble()]);
    return [...diagnoseStore(trouble), ...diagnoseNode(node, facts)];
  }

  function print(routers: number, forwards: number, findings: readonly Finding[]): DiagnosisDocument {
    const count = (wanted: Finding['level']) => findings.filter(({ level }) => level === wanted).length;
    return { node: node.name, routers, forwards, problems: count('problem'), warnings: count('warning'), findings };
  }

  return {
    async ofNode(reference, signal) {
      const present = registry.statuses.ofNode(node.name).map(({ router }) => router);
      const routers = reference === undefined ? present : [inFieldOf('router', () => findRouter(reference, present))];
      const forwards = routers.reduce((sum, router) => sum + registry.forwards.ofRouter(router).size, 0);
      return print(routers.length, forwards, [...(await lookAtNode()), ...(await diagnoseRouters(routers, signal))]);
    },

    async ofForward(reference, signal) {
      const forward = registry.forwards.find(reference);
      const [instances] = await Promise.all([
        local.examineRouter(forward.router, forward.id, signal),
        local.lookAround(forward.router),
      ]);
      const found = diagnoseForward(forward, knowledgeOf(forward.router, [forward]), instances);
      return print(instances.length > 0 ? 1 : 0, 1, [...(await lookAtNode()), ...found]);
    },
  };
}

function unreadable(router: RouterId, error: unknown): Finding {
  if (!(error instanceof HatobaError)) throw error;
  return diagnoseUnreadable(router, error.message);
}
