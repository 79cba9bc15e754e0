import { type Address, type Family, parseAddress } from './address.ts';
import { type Cidr, parseCidr } from './cidr.ts';
import { hatobaError, inFieldOf } from './errors.ts';
import { type ForwardId, parseDescription, parseName, parseText } from './ids.ts';
import { type PortRange, parsePortRange, portCount, printPortRange } from './port-range.ts';
import { type Protocol, parseProtocol } from './protocol.ts';
import { parseRouterId, type RouterId } from './router.ts';
import { parseTime } from './time.ts';

/** The word that stands for the router's own outside address, and follows it. */
export const GATEWAY = 'gateway';

/** What a user wants of one forward. Frozen, parsed, canonical: equal wishes print alike. */
export interface ForwardSpec {
  readonly name: string | null;
  readonly description: string | null;
  readonly projectId: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly router: RouterId;
  readonly protocol: Protocol;
  readonly externalAddress: Address | typeof GATEWAY;
  readonly externalPorts: PortRange;
  readonly internalAddress: Address;
  readonly internalPorts: PortRange;
  /** Who may use it; empty: anyone. */
  readonly sources: readonly Cidr[];
  readonly enabled: boolean;
  /** When it ends by itself, as `parseTime` gives it; null: never. From then on it keeps its place, as if disabled. */
  readonly expiresAt: string | null;
}

export interface Forward extends ForwardSpec {
  readonly id: ForwardId;
  /** The store's revision of its last change. */
  readonly revision: number;
  /** RFC 3339, UTC. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** A forward as users write it, in the API and on the command line. */
export interface ForwardInput {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly project_id?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly router: string;
  /** Default: tcp. */
  readonly protocol?: string;
  /** Default: gateway. */
  readonly external_address?: string;
  readonly external_port: string | number;
  readonly internal_address: string;
  /** Default: the external port. */
  readonly internal_port?: string | number;
  readonly sources?: readonly string[];
  readonly enabled?: boolean;
  readonly expires_at?: string | null;
}

/** A forward's wish as it is printed: every key present, canonical text. */
export interface ForwardSpecDocument {
  readonly name: string | null;
  readonly description: string | null;
  readonly project_id: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly router: string;
  readonly protocol: string;
  readonly external_address: string;
  readonly external_port: string;
  readonly internal_address: string;
  readonly internal_port: string;
  readonly sources: readonly string[];
  readonly enabled: boolean;
  readonly expires_at: string | null;
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});
const NO_SOURCES: readonly Cidr[] = Object.freeze([]);

/**
 * Reads a forward as a user writes it; the inverse of `printForwardSpec`.
 * Errors name the field at fault: `address_…`, `port_…`, `cidr_…`, `protocol_unknown`, `name_malformed`, ….
 */
export function parseForwardSpec(input: ForwardInput): ForwardSpec {
  const internalAddress = inFieldOf('internal_address', () => parseAddress(input.internal_address));
  const externalPorts = inFieldOf('external_port', () => parsePortRange(String(input.external_port)));
  const internalPorts = inFieldOf('internal_port', () => parseInternalPorts(input.internal_port, externalPorts));
  return Object.freeze({
    name: inFieldOf('name', () => optional(input.name, parseName)),
    description: inFieldOf('description', () => optional(input.description, parseDescription)),
    projectId: inFieldOf('project_id', () => optional(input.project_id, parseText)),
    labels: inFieldOf('labels', () => parseLabels(input.labels ?? NO_LABELS)),
    router: inFieldOf('router', () => parseRouterId(input.router)),
    protocol: inFieldOf('protocol', () => parseProtocol(input.protocol ?? 'tcp')),
    externalAddress: inFieldOf('external_address', () => parseExternalAddress(input.external_address, internalAddress)),
    externalPorts,
    internalAddress,
    internalPorts,
    sources: inFieldOf('sources', () => parseSources(input.sources ?? [], internalAddress.family)),
    enabled: input.enabled ?? true,
    expiresAt: inFieldOf('expires_at', () => optional(input.expires_at, parseTime)),
  });
}

export function printForwardSpec(spec: ForwardSpec): ForwardSpecDocument {
  return {
    name: spec.name,
    description: spec.description,
    project_id: spec.projectId,
    labels: spec.labels,
    router: spec.router,
    protocol: spec.protocol,
    external_address: spec.externalAddress === GATEWAY ? GATEWAY : spec.externalAddress.text,
    external_port: printPortRange(spec.externalPorts),
    internal_address: spec.internalAddress.text,
    internal_port: printPortRange(spec.internalPorts),
    sources: spec.sources.map((source) => source.text),
    enabled: spec.enabled,
    expires_at: spec.expiresAt,
  };
}

/** Whether its time has come at `now`, which is as `printTime` gives it. */
export function isExpired({ expiresAt }: Pick<ForwardSpec, 'expiresAt'>, now: string): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function optional(text: string | null | undefined, parse: (text: string) => string): string | null {
  return text === null || text === undefined ? null : parse(text);
}

function parseExternalAddress(text: string | undefined, internal: Address): Address | typeof GATEWAY {
  if (text === undefined || text === GATEWAY) return GATEWAY;
  const external = parseAddress(text);
  if (external.family !== internal.family) {
    throw hatobaError('address_family_mismatch', { external: external.text, internal: internal.text });
  }
  return external;
}

function parseInternalPorts(text: string | number | undefined, external: PortRange): PortRange {
  if (text === undefined) return external;
  const internal = parsePortRange(String(text));
  const count = portCount(internal);
  if (count !== 1 && count !== portCount(external)) {
    const parameters = { external: printPortRange(external), internal: printPortRange(internal) };
    throw hatobaError('port_range_size_mismatch', parameters);
  }
  return internal;
}

function parseSources(texts: readonly string[], family: Family): readonly Cidr[] {
  if (texts.length === 0) return NO_SOURCES;
  const sources = texts.map(parseCidr);
  const stranger = sources.find((source) => source.family !== family);
  if (stranger !== undefined) throw hatobaError('cidr_family_mismatch', { value: stranger.text });
  const distinct = new Map(sources.map((source) => [source.text, source]));
  return Object.freeze([...distinct.values()].sort((a, b) => compare(a.first, b.first) || compare(a.last, b.last)));
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : Number(a > b);
}

function parseLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return NO_LABELS;
  return Object.freeze(Object.fromEntries(pairs.map(([key, value]) => [parseName(key), parseText(value)])));
}
