import { type Finding, finding } from '../../model/findings.ts';
import type { NodeFacts } from '../facts.ts';

const NODE = { router: null, instance: null, forward: null } as const;

/** What is to be said of a machine. `driver`: what made the table there; `null`: it looks after no routers. */
export function diagnoseNode(
  node: string,
  driver: string | null,
  { missingCapabilities }: NodeFacts,
): readonly Finding[] {
  if (driver === null) return [finding(NODE, 'agent_absent', { node })];
  const missing = missingCapabilities.map((name) => finding(NODE, 'capability_missing', { name }));
  return [
    ...(missing.length > 0 ? missing : [finding(NODE, 'capabilities_present', {})]),
    finding(NODE, driver === 'nft' ? 'driver_program' : 'driver_library', {}),
  ];
}
