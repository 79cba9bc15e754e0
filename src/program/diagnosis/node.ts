import { type Finding, finding } from '../../model/findings.ts';
import type { NodeFacts } from '../facts.ts';

const NODE = { router: null, instance: null, forward: null } as const;

/** A machine that the daemon runs on. */
export interface DiagnosedNode {
  readonly name: string;
  readonly roles: readonly string[];
  /** What made the table there; `null`: nothing had to, since all is done by iptables. */
  readonly driver: string | null;
}

/** `trouble`: why changes would be lost at present; `null`: they would not. */
export function diagnoseStore(trouble: string | null): readonly Finding[] {
  return trouble === null ? [] : [finding(NODE, 'store_unavailable', { reason: trouble })];
}

export function diagnoseNode(
  { name: node, roles, driver }: DiagnosedNode,
  { missingCapabilities }: NodeFacts,
): readonly Finding[] {
  if (!roles.includes('agent')) return [finding(NODE, 'agent_absent', { node })];
  const missing = missingCapabilities.map((name) => finding(NODE, 'capability_missing', { name }));
  return [
    ...(missing.length > 0 ? missing : [finding(NODE, 'capabilities_present', {})]),
    ...(driver === null ? [] : [finding(NODE, driver === 'nft' ? 'driver_program' : 'driver_library', {})]),
  ];
}
