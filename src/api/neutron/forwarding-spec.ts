import { HatobaError } from '../../model/errors.ts';
import {
  type ForwardInput,
  type ForwardSpec,
  GATEWAY,
  parseForwardSpec,
  printForwardSpec,
} from '../../model/forward.ts';
import { type PortRange, portCount, printPortRange } from '../../model/port-range.ts';
import { invalidInput } from './attribute-values.ts';
import { WRITABLE_EXTRAS } from './extras.ts';
import { badForwarding } from './faults.ts';
import type { ForwardingWish } from './forwarding-wish.ts';
import type { GatewayIp, Target } from './topology.ts';

/** Whether Neutron's clients see the forward at this floating IP: whatever goes to the gateway's IPv4 address. */
export function isAt({ router, address }: Pick<GatewayIp, 'router' | 'address'>, forward: ForwardSpec): boolean {
  const { externalAddress: external } = forward;
  if (forward.router !== router || forward.internalAddress.family !== 4) return false;
  return external === GATEWAY || external.text === address.text;
}

/** The forward that a POST wants. Errors: `BadRequest`, `HTTPBadRequest`. */
export function newSpec(
  wish: ForwardingWish,
  gateway: GatewayIp,
  target: Target,
  projectId: string | null,
): ForwardSpec {
  const { externalPorts: external, internalPorts: internal } = wish;
  if (external === undefined || internal === undefined) throw new Error('a new forward needs ports on both sides');
  refuseUnequal(external, internal);
  return parseSpec({
    router: gateway.router,
    protocol: wish.protocol ?? 'tcp',
    external_port: printPortRange(external),
    internal_address: target.address.text,
    internal_port: printPortRange(internal),
    description: wish.description === '' ? null : (wish.description ?? null),
    project_id: projectId,
    labels: target.labels,
    ...wish.extras,
  });
}

/** The forward as a PUT changes it; `target`: `null` where it stays. Errors: `BadRequest`, `HTTPBadRequest`. */
export function changedSpec(before: ForwardSpec, wish: ForwardingWish, target: Target | null): ForwardSpec {
  const externalPorts = wish.externalPorts ?? before.externalPorts;
  const internalPorts = wish.internalPorts ?? before.internalPorts;
  refuseUnequal(externalPorts, internalPorts);
  const { description } = wish;
  return parseSpec({
    ...printForwardSpec(before),
    ...(wish.protocol === undefined ? {} : { protocol: wish.protocol }),
    ...(description === undefined ? {} : { description: description === '' ? null : description }),
    ...(target === null
      ? {}
      : { internal_address: target.address.text, labels: { ...before.labels, ...target.labels } }),
    external_port: printPortRange(externalPorts),
    internal_port: printPortRange(internalPorts),
    ...wish.extras,
  });
}

/** As many outside as inside, or one inside. */
function refuseUnequal(external: PortRange, internal: PortRange): void {
  const count = portCount(internal);
  if (count !== 1 && count !== portCount(external)) {
    throw badForwarding(
      'Invalid ranges of internal and/or external ports. ' +
        'The relation between internal and external ports must be N-N or 1-N',
    );
  }
}

/** What Neutron's own attributes may be has been read before; what is left is the model's to say. */
function parseSpec(input: ForwardInput): ForwardSpec {
  try {
    return parseForwardSpec(input);
  } catch (error) {
    throw error instanceof HatobaError ? invalidInput(attributeOf(error.field), error.message) : error;
  }
}

const ATTRIBUTES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(WRITABLE_EXTRAS).map(([attribute, field]) => [field, attribute])),
  internal_address: 'internal_ip_address',
};

function attributeOf(field: string | undefined): string {
  return ATTRIBUTES[field ?? ''] ?? field ?? 'the port forwarding';
}
