import { hatobaError, inField } from './errors.ts';
import { type ForwardInput, type ForwardSpec, parseForwardSpec } from './forward.ts';
import { type PortRange, parsePortRange, portCount } from './port-range.ts';

/** The word that leaves the external ports to the registry. */
export const AUTO = 'auto';

/** So many external ports in a row, whichever are free. */
export interface AutoPorts {
  readonly auto: number;
}

/** What a user wants of one forward, but for what only the registry can decide. */
export interface ForwardDraft extends Omit<ForwardSpec, 'externalPorts'> {
  readonly externalPorts: PortRange | AutoPorts;
}

/** The ports that are chosen from where the configuration names none. */
export const DEFAULT_AUTO_PORTS: PortRange = Object.freeze({ first: 20_000, last: 29_999 });

/**
 * Reads a forward as a user writes it, `auto` for its external port included: as many as there are inside, or
 * `count`. Errors: as `parseForwardSpec`, and `internal_port_required`.
 */
export function parseForwardDraft(input: ForwardInput, count?: number): ForwardDraft {
  if (input.external_port !== AUTO) return parseForwardSpec(input);
  const internal = parseInternalPorts(input.internal_port);
  const spec = parseForwardSpec({ ...input, external_port: String(input.internal_port) });
  return Object.freeze({ ...spec, externalPorts: Object.freeze({ auto: count ?? portCount(internal) }) });
}

export function isAuto(ports: ForwardDraft['externalPorts']): ports is AutoPorts {
  return 'auto' in ports;
}

function parseInternalPorts(text: string | number | undefined): PortRange {
  try {
    if (text === undefined) throw hatobaError('internal_port_required', { value: AUTO });
    return parsePortRange(String(text));
  } catch (error) {
    throw inField('internal_port', error);
  }
}
