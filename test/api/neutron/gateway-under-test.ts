import type { InjectOptions } from 'fastify';
import type { RouterStatus } from '../../../src/model/status.ts';
import { type Bench, type BenchOptions, openBench, publish, report } from '../api-under-test.ts';

/** Neutron's API with one router, whose gateway is 192.168.1.100. */
export interface GatewayBench extends Bench {
  /** The floating IP that stands for the gateway. */
  readonly floatingIp: string;
  /** Under `/v2.0`; gives the status and the body. */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'HEAD' | 'PATCH', path: string, options?: Asking): Promise<Answer>;
  /** The port that has the address, as a client would look it up. */
  portOf(address: string): Promise<string>;
  /** Path of its port forwardings, and of one of them. */
  path(id?: string): string;
}

export interface Asking {
  readonly body?: InjectOptions['payload'];
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
}

export async function openGatewayBench(
  options: BenchOptions & { readonly statuses?: readonly RouterStatus[] } = {},
): Promise<GatewayBench> {
  const bench = await openBench(options);
  await publish(bench.registry, ...(options.statuses ?? [report(0)]));

  async function ask(method: Parameters<GatewayBench['ask']>[0], path: string, { body, headers = {} }: Asking = {}) {
    const answer = await bench.api.inject({
      method,
      url: `/v2.0/${path}`,
      headers: { ...headers },
      ...(body === undefined ? {} : { payload: body }),
    });
    const text = answer.body;
    return { status: answer.statusCode, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers };
  }

  const { body } = await ask('GET', 'floatingips');
  const floatingIp = textAt(body, 'floatingips', 0, 'id');
  return {
    ...bench,
    [Symbol.asyncDispose]: () => bench[Symbol.asyncDispose](),
    floatingIp,
    ask,
    portOf: async (address) => textAt((await ask('GET', `ports?name=${address}`)).body, 'ports', 0, 'id'),
    path: (id) => `floatingips/${floatingIp}/port_forwardings${id === undefined ? '' : `/${id}`}`,
  };
}

/** What is there in a document, key by key. */
export function pick(document: unknown, ...keys: readonly (string | number)[]): unknown {
  return keys.reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null)
      throw new Error(`there is no ${key} in ${JSON.stringify(document)}`);
    return new Map(Object.entries(value)).get(String(key));
  }, document);
}

/** The text that is there. */
export function textAt(document: unknown, ...keys: readonly (string | number)[]): string {
  const text = pick(document, ...keys);
  if (typeof text !== 'string') throw new Error(`${keys.join('.')} is no text in ${JSON.stringify(document)}`);
  return text;
}

/** The body of an error of Neutron's. */
export function fault(type: string, message: string): unknown {
  return { NeutronError: { type, message, detail: '' } };
}
