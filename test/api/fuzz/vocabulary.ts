import {
  BLUE,
  BLUE_ROUTER,
  type FuzzCaller,
  isOperator,
  KNOWN_CALLERS,
  OWN_ROUTER,
  RED,
  RED_ROUTER,
  SEEDS,
  SHARED_ROUTER,
} from './tenants.ts';
import { FREE_ADDRESS, type World } from './world.ts';

/** For the name of a field, values that mean something there. */
export type Vocabulary = (field: string, operation: string) => readonly unknown[];

type Words = Readonly<Record<string, readonly unknown[]>>;

const ROUTERS = [SHARED_ROUTER, RED_ROUTER, BLUE_ROUTER, OWN_ROUTER];
const IDS = SEEDS.map(({ id }) => id);
const SHARED_IDS = SEEDS.flatMap(({ id, input }) => (input.router === SHARED_ROUTER ? [id] : []));
const ADDRESSES = SEEDS.map(({ input }) => input.internal_address);
const UNKNOWN_ID = 'dddddddd-4444-4444-8444-444444444444';
const REFERENCES = SEEDS.flatMap(({ id, input }) => [id, id.toUpperCase(), id.slice(0, 9), id, input.name ?? id]);

/** The same for whoever asks: what somebody else has is asked for, too. */
const COMMON: Words = {
  protocol: ['tcp', 'tcp', 'udp', 'sctp', 'dccp', 'udplite', 'TCP'],
  external_port: [5002, '5003', '5100-5109', 5001, 5666, 5888, 'auto', 7000, '5100-5200'],
  internal_port: [22, '22', '80', '5100-5109', '8000-8100'],
  internal_address: [FREE_ADDRESS, FREE_ADDRESS, '192.168.50.13', 'FD00:0::1'],
  external_address: ['gateway', 'gateway', '192.168.1.100', '203.0.113.66', '2001:db8::1'],
  sources: [[], ['198.51.100.0/24'], ['198.51.100.0/25', '198.51.100.128/25'], ['2001:db8::/32']],
  source: ['198.51.100.5', '198.51.100.6', '10.66.1.5', '2001:db8::5'],
  destination: ['192.168.1.100', '192.168.1.100', '203.0.113.66', '2001:db8::1'],
  source_port: [1234, '65535'],
  destination_port: [5001, 5666, '5888', 80],
  expires_at: ['2999-01-01T00:00:00Z', null, '2999-01-01T00:00:00.5+09:00', '2001-01-01T00:00:00Z'],
  created_at: ['2026-01-02T03:04:05.000Z'],
  updated_at: ['2026-01-02T03:04:06.000Z'],
  description: ['', 'the door', 'a door — ドア 🚪'],
  state: ['active', 'pending', 'waiting', 'disabled', 'expired', 'error'],
  label: ['team=web', 'bluely=bluely', 'scarlet=scarlet', '='],
  labels: [{}, { team: 'web' }, { team: 'web', tier: '1' }],
  limit: ['1', '2', '3', '1000'],
  marker: [...IDS, UNKNOWN_ID],
  live: ['true', 'false'],
  replace: ['true', 'true', 'false'],
  after: ['0', '1', '20', '999999999'],
  forward: REFERENCES,
  'last-event-id': ['0', '3', '999999999', ''],
  'if-match': ['*', '"1"', '"99999"', '7', 'W/"1"', '"1", "2"'],
  'idempotency-key': ['k-1', '"k-2"', 'k-3', 'k-4, k-5'],
  outside: [['qg-'], []],
};

const NEUTRON: Words = {
  alias: ['router', 'floating-ip-port-forwarding', 'nothing'],
  fields: ['id', 'name', 'project_id', 'hatoba:state', 'nothing'],
  sort_key: ['id', 'id', 'protocol', 'project_id', 'nothing'],
  page_reverse: ['true', 'True', 'false', 'x'],
  router_id: ROUTERS,
  floating_ip_address: ['192.168.1.100', '203.0.113.66'],
  status: ['ACTIVE', 'DOWN'],
  'hatoba:name': ['mail', 'web', 'game'],
  'hatoba:sources': COMMON['sources'] ?? [],
  'hatoba:expires_at': COMMON['expires_at'] ?? [],
};

/** Words that mean another thing in one operation than elsewhere; `forwarding`: where a port forwarding is written. */
const FORWARDING: Words = {
  ...NEUTRON,
  protocol: ['tcp', 'udp', 'tcp', 'sctp'],
  external_port: [5002, 5003, 5004, 5001, 5666, 7000],
  internal_port: [22, 80, 443],
  external_port_range: [null, null, null, null, '5100:5109', '5200:5200', '5109:5100', '5666:5667'],
  internal_port_range: [null, null, null, null, '5100:5109', '80:80', '0:1'],
  internal_ip_address: [...Array<string>(9).fill(FREE_ADDRESS), '10.66.0.1', '10.77.0.1', '10.88.0.1'],
};

/** What this caller may well say. Of what others have, only what they are not told again in another answer. */
export function vocabularyOf(caller: FuzzCaller, world: World): Vocabulary {
  const [mine, address] = isOperator(caller)
    ? [['viridian', 'web', 'mail'], '10.88.0.1']
    : [['web', 'mail', 'game'], caller.project === RED ? '10.77.0.1' : '10.66.0.1'];
  // An operator who gave a project something of another would tell it what is in it.
  const projects = isOperator(caller) ? [null, 'green'] : [caller.project, caller.project, RED, BLUE, null];
  // Or one that put something of a project where others are.
  const routers = isOperator(caller) ? ['host', 'edge', SHARED_ROUTER.slice(0, 34)] : ROUTERS;
  const own: Words = {
    name: [...mine, null],
    project_id: projects,
    project: projects,
    router: [...Array<string>(6).fill(SHARED_ROUTER), `qrouter-${SHARED_ROUTER}`, ...routers],
    id: [...IDS, UNKNOWN_ID, 'dddddddd-5555-4555-8555-555555555555'],
    floatingip: [...Array<string>(12).fill(world.sharedFloatingIp), ...world.floatingIps, UNKNOWN_ID],
    forwarding: [...SHARED_IDS, ...SHARED_IDS, ...IDS, UNKNOWN_ID],
    network_id: world.things['networks'] ?? [],
    fixed_ips: [`ip_address=${address}`, 'ip_address=192.168.50.11', 'subnet_id=1'],
    internal_port_id: [
      ...(world.things['ports'] ?? []),
      ...Array<string>(12).fill(world.freePort),
      '192.168.50.11',
      UNKNOWN_ID,
    ],
  };
  return (field, operation) => wordsOf(field, operation, world) ?? own[field] ?? COMMON[field] ?? NEUTRON[field] ?? [];
}

function wordsOf(field: string, operation: string, { things, markers, bench }: World): readonly unknown[] | undefined {
  if (field === 'reference') return referencesOf(operation, bench);
  if (field === 'thing') return [...(things[operation.replace(/^show (\w+)$/, '$1s')] ?? []), ...IDS, UNKNOWN_ID];
  if (operation === 'createToken' && field === 'name') return ['ci', 'monitoring', 'scarlet-reader'];
  if (operation === 'listForwards' && field === 'marker') return markers;
  if (operation === 'listForwards' && field === 'internal_address') return ADDRESSES;
  return operation.endsWith('port_forwarding') ? FORWARDING[field] : undefined;
}

function referencesOf(operation: string, { registry }: World['bench']): readonly unknown[] {
  const tokens = registry.tokens.list().map(({ id }) => id);
  if (operation.endsWith('Token')) return [...KNOWN_CALLERS.map(({ name }) => name), ...tokens.slice(0, 2), 'nobody'];
  if (operation === 'getRouter') return [...ROUTERS, ...ROUTERS.map((router) => router.slice(0, 35)), 'host'];
  return [...REFERENCES, UNKNOWN_ID];
}
