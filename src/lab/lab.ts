import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hatobaError } from '../model/errors.ts';
import { run } from './command.ts';
import { startInstance, stopInstance } from './instance-process.ts';
import { interfacesOf, type PresentInterface, processesOf, runInside, stateOfNamespace } from './namespaces.ts';
import { endProcess } from './process-record.ts';
import {
  INSTANCE_NAMESPACE,
  INSTANCE_PORT,
  type Interface,
  type Namespace,
  ROUTER_NAMESPACE,
  TOPOLOGY,
} from './topology.ts';

/** Told in one line what was done, as it is done. */
export type Report = (line: string) => void;

/** What outlives the process that made the lab, and is gone after a reboot like the lab itself. */
const STATE_DIRECTORY = '/run/hatoba-lab';
const INSTANCE_RECORD = join(STATE_DIRECTORY, 'instance.pid');

/** How long a process that lives in the lab may take to end, in milliseconds. */
const PATIENCE = 2_000;

const LINKS = TOPOLOGY.links.flat();

/**
 * Builds the practice network, or whatever of it is missing; nothing that is there is touched.
 * Errors: `not_permitted`, `lab_obstructed`, `command_failed`.
 */
export async function createLab(report: Report): Promise<void> {
  requireRoot();
  await refuseForeignRouter();
  for (const namespace of TOPOLOGY.namespaces) await createNamespace(namespace, report);
  for (const [a, b] of TOPOLOGY.links) await createLink(a, b, report);
  for (const link of LINKS) await configure(link);
  for (const namespace of TOPOLOGY.namespaces) await addRoutes(namespace);
  if (await startInstance(INSTANCE_NAMESPACE, INSTANCE_PORT, INSTANCE_RECORD)) {
    report(`started the instance, which answers on port ${INSTANCE_PORT} by TCP and UDP`);
  }
}

/**
 * Removes the practice network and every process in it, also one that was only half made.
 * Errors: `not_permitted`, `lab_obstructed`, `command_failed`.
 */
export async function destroyLab(report: Report): Promise<void> {
  requireRoot();
  await refuseForeignRouter();
  if (await stopInstance(INSTANCE_RECORD)) report('stopped the instance');
  for (const { name } of TOPOLOGY.namespaces) await removeNamespace(name, report);
  await rm(STATE_DIRECTORY, { recursive: true, force: true });
}

function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw hatobaError('not_permitted', {
    reason: 'the practice network is made of network namespaces, which root makes',
  });
}

/** A real router of the same name has interfaces of Neutron's that are not the lab's. */
async function refuseForeignRouter(): Promise<void> {
  if ((await stateOfNamespace(ROUTER_NAMESPACE)) !== 'present') return;
  const present = await interfacesOf(ROUTER_NAMESPACE);
  const stranger = present.find(
    ({ name }) => /^(?:qg|qr|sg|ha|rfp)-/.test(name) && !LINKS.some((link) => link.name === name),
  );
  if (stranger === undefined) return;
  const reason = `the namespace ${ROUTER_NAMESPACE} is another router, with an interface ${stranger.name}`;
  throw hatobaError('lab_obstructed', { reason });
}

async function createNamespace({ name, sysctls }: Namespace, report: Report): Promise<void> {
  const state = await stateOfNamespace(name);
  if (state === 'broken') await run('ip', 'netns', 'delete', name);
  if (state !== 'present') {
    await run('ip', 'netns', 'add', name);
    report(`made the namespace ${name}`);
  }
  await runInside(name, 'sysctl', '--quiet', '--write', ...sysctls.filter(kernelHas));
}

/** What belongs to IPv6 or to connection tracking is there only while the kernel has these. */
function kernelHas(sysctl: string): boolean {
  const [key = ''] = sysctl.split('=');
  return existsSync(`/proc/sys/${key.replaceAll('.', '/')}`);
}

async function createLink(a: Interface, b: Interface, report: Report): Promise<void> {
  const present = await Promise.all([find(a), find(b)]);
  if (present.every((end) => end !== undefined)) return;
  // A pair that has lost its other end to a deleted namespace, or is tied to somebody else's.
  for (const [index, end] of [a, b].entries()) if (present[index] !== undefined) await removeLink(end);
  const peer = ['peer', 'name', b.name, 'netns', b.namespace];
  await run('ip', 'link', 'add', 'name', a.name, 'netns', a.namespace, 'type', 'veth', ...peer);
  report(`linked ${a.name} in ${a.namespace} to ${b.name} in ${b.namespace}`);
}

async function configure(link: Interface): Promise<void> {
  const present = await find(link);
  for (const address of link.addresses) {
    if (present?.addresses.includes(address) || !familyIsThere(address)) continue;
    await run('ip', '-netns', link.namespace, 'address', 'add', address, 'dev', link.name);
  }
  for (const name of [link.name, 'lo']) await run('ip', '-netns', link.namespace, 'link', 'set', name, 'up');
}

async function addRoutes({ name, gateways }: Namespace): Promise<void> {
  for (const gateway of gateways.filter(familyIsThere)) {
    await run('ip', '-netns', name, 'route', 'replace', 'default', 'via', gateway);
  }
}

async function find({ namespace, name }: Interface): Promise<PresentInterface | undefined> {
  return (await interfacesOf(namespace)).find((present) => present.name === name);
}

/** Links first: a namespace takes its interfaces with it only some time after its name is gone. */
async function removeNamespace(namespace: string, report: Report): Promise<void> {
  const state = await stateOfNamespace(namespace);
  if (state === 'absent') return;
  if (state === 'present') {
    for (const pid of await processesOf(namespace)) await endProcess(pid, PATIENCE);
    const present = await interfacesOf(namespace);
    const ours = LINKS.filter((link) => link.namespace === namespace);
    for (const link of ours) if (present.some(({ name }) => name === link.name)) await removeLink(link);
  }
  await run('ip', 'netns', 'delete', namespace);
  report(`removed the namespace ${namespace}`);
}

async function removeLink({ namespace, name }: Interface): Promise<void> {
  await run('ip', '-netns', namespace, 'link', 'delete', name);
}

/** Kernels are built without IPv6 at times. */
function familyIsThere(address: string): boolean {
  return !address.includes(':') || existsSync('/proc/sys/net/ipv6');
}
