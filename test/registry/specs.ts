import { type ForwardInput, type ForwardSpec, parseForwardSpec } from '../../src/model/forward.ts';

/** A forward of router `r1`, port 5001, where nothing else is said. */
export function spec(input: Partial<ForwardInput> = {}): ForwardSpec {
  return parseForwardSpec({ router: 'r1', external_port: 5001, internal_address: '192.168.50.11', ...input });
}
