import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseForwardSpec, printForwardSpec } from '../../../src/model/forward.ts';
import type { Bench } from '../api-under-test.ts';
import { LIKE_NEUTRON } from './filled-gateway.ts';
import { type GatewayBench, openGatewayBench, pick, textAt } from './gateway-under-test.ts';
import { openUpstreamBench, port, router, type UpstreamBench } from './upstream-under-test.ts';

/** One of what a Neutron 21.0 was asked, and answered, in the order in which that happened; not all of it is kept. */
interface Exchange {
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';
  readonly path: string;
  /** Of the body, if there is one. */
  readonly type?: string;
  readonly body?: string;
  readonly status: number;
  readonly answer: unknown;
}

const EXCHANGES: readonly Exchange[] = readFileSync(join(import.meta.dirname, 'recorded-exchanges.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line));

const FLOATING_IP = 'ad7c2116-8b38-483a-9239-044cf007ea9e';
/** Of the same router there; here it is the gateway of another one. */
const OTHER_FLOATING_IP = 'ffd77bf2-981a-4fbb-aaa9-7b03979f349b';
const ROUTER = 'b4638d96-f23d-4eb7-81d3-282576c50e5a';
const OTHER_ROUTER = 'b4638d96-f23d-4eb7-81d3-000000000002';
const OUTSIDE = 'f162a929-2c8a-4263-ab84-6bd6e44bcd00';
const SUBNET = '4e189c24-d0eb-41e5-b7e6-38db86dbdbcf';
const [VM, SECOND_VM] = ['220b91a2-5498-4034-87f7-eaaa6f105d60', '5a3e31fb-95a5-43b6-8f5f-73207606157b'];
const BOUND_VM = 'a49c6b0c-6037-430e-884f-5969e637b98b';
const [ADDRESS, SECOND_ADDRESS] = ['10.0.1.142', '10.0.2.25'];
const SSH = '25865d0a-b4f9-4a1e-94ec-2cf3d5f78bfa';
/** A range, of whose ports Neutron lets a change make unequally many. */
const SHIFTED = '3f470bd2-ef39-4751-a657-04fa7791de5a';
/** Neutron takes it, and its agent then fails. */
const ICMP = '3d6cd930-44e1-473c-9782-85c921b9c5fe';

/** Of Neutron itself, for `BOUND_VM`. */
const BOUND = pick(EXCHANGES.find(({ name }) => name === '156-floatingip-list')?.answer, 'floatingips', 0);

/** These hatoba answers where there is no Neutron; all others, in front of one. */
const NEEDS_NO_NEUTRON = /^(?:0[01]|09[12]|179)/;

/** About what is Neutron's own: passed on as it is. */
const PASSED_ON = [
  '012-net-ext',
  '014-net-priv',
  '016-net-isolated',
  '017-subnet-isolated',
  '019-router-add-interface',
  '021-port-2',
  '022-port-isolated',
  '024-fip-1',
  '026-fip-3',
  '162-fip-4',
  '164-delete-port-of-pf-direct-router',
  '166-port-update-fixed-ips-removing-pf-ip',
  '177-member-project-header-list-networks',
];

const error = (type: string, message: unknown = expect.any(String)) => ({
  NeutronError: { type, message, detail: '' },
});
const unequal = error('BadRequest', expect.stringContaining('The relation between internal and external ports'));

/** Where hatoba means to answer otherwise, and how. */
const OTHERWISE = new Map<string, readonly [status: number, answer: unknown]>([
  // The network outside is always there.
  ['011-networks-external', [200, { networks: [expect.objectContaining({ 'router:external': true })] }]],
  ['067-create-err-port-and-range', [400, error('BadRequest', expect.stringContaining('cannot be given together'))]],
  // Of another router here, which leads to the same port by its own address.
  ['089-create-on-other-fip-same-internal', [201, expect.anything()]],
  ['111-list-sort', [200, { port_forwardings: expect.arrayContaining([{ external_port: 9002 }, {}]) }]],
  ['136-update-err-range-mismatch', [400, unequal]],
  ['137-update-range-to-port', [400, unequal]],
  ['144-update-err-protocol', [400, error('HTTPBadRequest', expect.stringContaining('icmp is not in valid_values'))]],
  // Gateways are nobody's to change.
  ['159-floatingip-associate-port-that-has-pf', [409, error('FipInUseByPortForwarding')]],
]);

let alone: GatewayBench;
let front: UpstreamBench;
/** By their ids there. */
const gateways = new Map<string, string>();

beforeAll(async () => {
  alone = await openGatewayBench(LIKE_NEUTRON);
  front = await openUpstreamBench(LIKE_NEUTRON);
  const behind = [
    vm(VM, ADDRESS, SECOND_ADDRESS),
    vm(SECOND_VM, '10.0.0.212'),
    vm(BOUND_VM, '10.0.2.106'),
    ...[ROUTER, OTHER_ROUTER].map((id) => port(`interface of ${id}`, id, 'network:router_interface', SUBNET)),
  ];
  Object.assign(front.neutron.things, {
    routers: [withGateway(ROUTER, '198.51.3.133'), withGateway(OTHER_ROUTER, '198.51.2.81')],
    ports: behind,
    floatingips: [BOUND],
  });
  for (const [there, address] of [
    [FLOATING_IP, '198.51.3.133'],
    [OTHER_FLOATING_IP, '198.51.2.81'],
  ] as const) {
    const found = await front.api.inject(`/v2.0/floatingips?floating_ip_address=${address}`);
    gateways.set(there, textAt(found.json(), 'floatingips', 0, 'id'));
  }
});

afterAll(async () => {
  await alone[Symbol.asyncDispose]();
  await front[Symbol.asyncDispose]();
});

function vm(id: string, ...addresses: readonly string[]) {
  const fixed_ips = addresses.map((ip_address) => ({ subnet_id: SUBNET, ip_address }));
  return { ...port(id, '', '', SUBNET), fixed_ips };
}

function withGateway(id: string, address: string) {
  const { external_gateway_info: outside, ...rest } = router(id, address);
  return { ...rest, project_id: 'fake_project_id', external_gateway_info: { ...outside, network_id: OUTSIDE } };
}

type Asked = Pick<Exchange, 'method' | 'path' | 'type' | 'body'>;

/** Asks as that client did; in what is answered, gateways have the ids that they had there. */
async function ask({ method, path, type, body }: Asked, { api }: Bench = front) {
  const answer = await api.inject({
    method,
    url: translated(path),
    headers: { host: '127.0.0.1:9696', ...(type === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { payload: body }),
  });
  return { status: answer.statusCode, answer: translatedBack(answer.body) };
}

function translated(text: string): string {
  return [...gateways].reduce((read, [there, here]) => read.replaceAll(there, here), text);
}

function translatedBack(text: string): unknown {
  if (text === '') return null;
  const ids = [...gateways, [ROUTER, OTHER_ROUTER] as const];
  return JSON.parse(ids.reduce((read, [there, here]) => read.replaceAll(here, there), text));
}

function path(id = '', floatingIp = FLOATING_IP): string {
  return `/v2.0/floatingips/${floatingIp}/port_forwardings${id === '' ? '' : `/${id}`}`;
}

async function tell(method: Exchange['method'], at: string, fields?: object): Promise<unknown> {
  const body = { type: 'application/json', body: JSON.stringify({ port_forwarding: fields }) };
  const { status, answer } = await ask({ method, path: at, ...(fields === undefined ? {} : body) });
  expect(status, JSON.stringify(answer)).toBeLessThan(300);
  return answer;
}

/** The forward that was just made gets the id that it had there, by which lists are sorted, and which others name. Gives the answer with that. */
async function rename(answer: unknown, id: string): Promise<unknown> {
  const { forwards } = front.registry;
  const made = forwards.find(textAt(answer, 'port_forwarding', 'id'));
  await forwards.remove(made.id);
  const wanted = [{ id, spec: parseForwardSpec(printForwardSpec(made)), times: null }];
  await forwards.apply({ wanted, prunes: () => false, dryRun: false, kind: 'apply', intoEmpty: false });
  return JSON.parse(JSON.stringify(answer).replaceAll(made.id, id));
}

async function have(id: string, external: string, internal = external, floatingIp = FLOATING_IP): Promise<void> {
  const target = { internal_port_id: VM, internal_ip_address: ADDRESS, protocol: 'tcp' };
  const ports = { external_port_range: external, internal_port_range: internal };
  await rename(await tell('POST', path('', floatingIp), { ...target, ...ports }), id);
}

/** What happened before one of them, and is not among them. */
const BEFORE = new Map<string, () => Promise<unknown>>([
  [
    '029-create-udp',
    async () => {
      await have(SSH, '2222', '22');
      await have(SHIFTED, '3000:3009', '4000:4009');
      await have('e6d9a80f-9e8c-4bd8-9893-1a3f7a2a1a26', '3300');
      await have('a7a504a6-b79e-444c-9282-c3188d0da5aa', '8300');
      await have('ba7144bc-1425-43bc-96c5-7427cd011a71', '9001');
      await have('bd7f62ad-e09d-43e9-9230-cc16d3a44039', '9002');
    },
  ],
  [
    '091-create-err-fip-unknown',
    async () => {
      const [made] = front.registry.forwards.ofRouter(OTHER_ROUTER).keys();
      await tell('DELETE', path(made, OTHER_FLOATING_IP));
    },
  ],
  ['126-update-same-values', () => tell('PUT', path(SSH), { description: 'new' })],
  ['131-update-port-and-ip', () => tell('PUT', path(SSH), { internal_port: 2210 })],
  ['134-update-to-range', () => tell('PUT', path(SSH), { internal_ip_address: SECOND_ADDRESS })],
  ['151-delete-ok', () => have('52539f8d-2626-4afd-b8f7-f60cf0726138', '9003')],
  ['156-floatingip-list', () => have('3a685ead-134a-40f8-8394-7221f0ffee4d', '2222', '2299', OTHER_FLOATING_IP)],
  [
    '167-list-after-port-update',
    async () => {
      front.neutron.things.ports = front.neutron.things.ports.map((each) =>
        each.id === VM ? vm(VM, SECOND_ADDRESS) : each,
      );
      await tell('PUT', `/v2.0/ports/${VM}`);
    },
  ],
  ['174-list-after-port-delete', () => tell('DELETE', `/v2.0/ports/${VM}`)],
  [
    '176-list-after-fip-delete',
    async () => {
      front.neutron.things.routers = [];
    },
  ],
]);

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of a floating IP, what is told of each otherwise, or at another time. */
const VOLATILE = ['status', 'description', 'created_at', 'updated_at', 'revision_number'];

/** Of a gateway in a list, which is at its router's port there. */
const BINDING = ['port_id', 'fixed_ip_address', 'port_details'];

function isGateway({ port_details: port }: Fields): boolean {
  return isFields(port) && port['device_owner'] === 'network:router_gateway';
}

/** A document without what hatoba means to answer otherwise, and with port forwardings in order of their ids. */
function comparable(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document), (key, value: unknown) => {
    if (Array.isArray(value)) return key === 'port_forwardings' ? inOrder(value.filter(isFields)) : value;
    if (!isFields(value)) return value;
    if ('floating_ip_address' in value) {
      const otherwise = isGateway(value) ? [...VOLATILE, ...BINDING] : VOLATILE;
      return { ...value, ...Object.fromEntries(otherwise.filter((one) => one in value).map((one) => [one, null])) };
    }
    return 'protocol' in value ? asListed(value) : value;
  });
}

function inOrder(forwardings: readonly Fields[]): readonly Fields[] {
  return forwardings.filter(({ id }) => id !== ICMP).sort((a, b) => (String(a['id']) < String(b['id']) ? -1 : 1));
}

const SIDES = ['external', 'internal'];

/** A port forwarding as Neutron lists it: without single ports where it has a range, whatever they were before. */
function asListed(fields: Fields): Fields {
  const stale = SIDES.filter((side) => isRange(fields[`${side}_port_range`]) || fields['id'] === SHIFTED);
  const { protocol } = fields;
  const kept = Object.entries(fields).filter(([key]) => !stale.some((side) => key === `${side}_port`));
  return { ...Object.fromEntries(kept), protocol: protocol === 'icmp' ? 'tcp' : protocol };
}

function isRange(text: unknown): boolean {
  const [first, last] = typeof text === 'string' ? text.split(':') : [];
  return first !== last && last !== undefined;
}

test.each(EXCHANGES.filter(({ name }) => !PASSED_ON.includes(name)))('$name', async (exchange) => {
  const { name, status, answer } = exchange;
  await BEFORE.get(name)?.();
  const told = await ask(exchange, NEEDS_NO_NEUTRON.test(name) ? alone : front);
  const otherwise = OTHERWISE.get(name) ?? (status === 500 ? [400, error('HTTPBadRequest')] : null);
  if (otherwise !== null) {
    expect([told.status, told.answer]).toEqual(otherwise);
    return;
  }
  const here = status === 201 ? await rename(told.answer, textAt(answer, 'port_forwarding', 'id')) : told.answer;
  expect([told.status, comparable(here)]).toEqual([status, comparable(answer)]);
});

test('what is said of one of them is said of one that there is', () => {
  const names = EXCHANGES.map(({ name }) => name);
  for (const name of [...PASSED_ON, ...OTHERWISE.keys(), ...BEFORE.keys()]) expect(names).toContain(name);
});
