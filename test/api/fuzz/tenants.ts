import type { Role } from '../../../src/model/caller.ts';
import type { ForwardInput } from '../../../src/model/forward.ts';
import { type GrantInput, parseGrants } from '../../../src/model/grants.ts';

/** Both projects have forwards here. */
export const SHARED_ROUTER = '9a8b7c6d-0000-4000-8000-00000000005a';
export const RED_ROUTER = '9a8b7c6d-0000-4000-8000-0000000000ed';
export const BLUE_ROUTER = '9a8b7c6d-0000-4000-8000-0000000000b1';
/** No project may use it. */
export const OWN_ROUTER = '9a8b7c6d-0000-4000-8000-0000000000f1';

export const RED = 'project-scarlet';
export const BLUE = 'project-bluely';

const grants: readonly GrantInput[] = [
  { project: RED, quota: 6, external_ports: '5000-5999', routers: [{ router: SHARED_ROUTER }, { router: RED_ROUTER }] },
  { project: BLUE, routers: [{ router: SHARED_ROUTER }, { router: BLUE_ROUTER }] },
];
export const GRANTS = parseGrants(grants);

export type Owner = 'red' | 'blue' | 'nobody';

interface Seed {
  readonly id: string;
  readonly owner: Owner;
  readonly input: ForwardInput;
}

const [red, blue] = [{ project_id: RED }, { project_id: BLUE }];
const scarlet = { description: 'scarlet', labels: { scarlet: 'scarlet' }, sources: ['10.77.1.0/24'] };
const bluely = { description: 'bluely', labels: { bluely: 'bluely' }, sources: ['10.66.1.0/24'] };
const viridian = { description: 'viridian', labels: { viridian: 'viridian' } };

/** What everybody has at the beginning, and again before each request. Both projects call one of theirs `web`. */
export const SEEDS: readonly Seed[] = [
  {
    id: 'eeeeeeee-1111-4111-8111-111111111111',
    owner: 'red',
    input: { ...red, ...scarlet, router: SHARED_ROUTER, name: 'web', ...at(5001, '10.77.0.1', 22) },
  },
  {
    id: 'eeeeeeee-2222-4222-8222-222222222222',
    owner: 'red',
    input: {
      ...red,
      router: RED_ROUTER,
      name: 'scarlet-dns',
      protocol: 'udp',
      ...at('5053-5055', '10.77.0.2', '53-55'),
    },
  },
  {
    id: 'bbbbbbbb-1111-4111-8111-111111111111',
    owner: 'blue',
    input: { ...blue, ...bluely, router: SHARED_ROUTER, name: 'bluely-ssh', ...at(5666, '10.66.0.1', 22) },
  },
  {
    id: 'bbbbbbbb-2222-4222-8222-222222222222',
    owner: 'blue',
    input: { ...blue, router: BLUE_ROUTER, external_address: '203.0.113.66', name: 'web', ...at(80, '10.66.0.2', 80) },
  },
  {
    id: 'cccccccc-1111-4111-8111-111111111111',
    owner: 'nobody',
    input: { ...viridian, router: SHARED_ROUTER, name: 'viridian', ...at(5888, '10.88.0.1', 22) },
  },
  {
    id: 'cccccccc-2222-4222-8222-222222222222',
    owner: 'nobody',
    input: { router: OWN_ROUTER, name: 'viridian-own', enabled: false, ...at(5001, '10.88.0.2', 22) },
  },
];

function at(external_port: number | string, internal_address: string, internal_port: number | string) {
  return { external_port, internal_address, internal_port };
}

const idsOf = (owner: Owner) => SEEDS.filter((seed) => seed.owner === owner).map(({ id }) => id.slice(0, 13));

/** What of each of them nobody else is told. That of nobody, only those are told who see everything. */
export const SECRETS: Readonly<Record<Owner, readonly string[]>> = {
  red: ['scarlet', '10.77.', RED_ROUTER, ...idsOf('red')],
  blue: ['bluely', '10.66.', '203.0.113.66', BLUE_ROUTER, ...idsOf('blue')],
  nobody: ['viridian', '10.88.', OWN_ROUTER, ...idsOf('nobody')],
};

/** Who asks. */
export interface FuzzCaller {
  /** Of the token, too. */
  readonly name: string;
  /** `null`: of nobody that is known. */
  readonly role: Role | null;
  /** `null`: of all projects, or of none. */
  readonly project: string | null;
}

export const NO_TOKEN: FuzzCaller = { name: 'no-token', role: null, project: null };
export const BOGUS_TOKEN: FuzzCaller = { name: 'bogus-token', role: null, project: null };
export const OPERATOR: FuzzCaller = { name: 'viridian-admin', role: 'admin', project: null };

/** Those who have a token. */
export const KNOWN_CALLERS: readonly FuzzCaller[] = [
  { name: 'scarlet-reader', role: 'reader', project: RED },
  { name: 'scarlet-member', role: 'member', project: RED },
  { name: 'scarlet-admin', role: 'admin', project: RED },
  { name: 'bluely-reader', role: 'reader', project: BLUE },
  { name: 'bluely-member', role: 'member', project: BLUE },
  { name: 'bluely-admin', role: 'admin', project: BLUE },
  { name: 'viridian-reader', role: 'reader', project: null },
  { name: 'viridian-member', role: 'member', project: null },
  OPERATOR,
];

export function isOperator({ role, project }: FuzzCaller): boolean {
  return role !== null && project === null;
}

/** Whose things the caller is told. */
export function ownersSeen(caller: FuzzCaller): readonly Owner[] {
  if (isOperator(caller)) return ['red', 'blue', 'nobody'];
  if (caller.project === RED) return ['red'];
  return caller.project === BLUE ? ['blue'] : [];
}
