import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { knock } from '../../src/lab/knock.ts';
import { createLab, destroyLab } from '../../src/lab/lab.ts';
import { runInside } from '../../src/lab/namespaces.ts';
import {
  CLIENT_ADDRESSES,
  CLIENT_NAMESPACE,
  GATEWAY_ADDRESSES,
  INSTANCE_ADDRESSES,
  INSTANCE_NAMESPACE,
  INSTANCE_PORT,
  ROUTER_NAMESPACE,
  TOPOLOGY,
} from '../../src/lab/topology.ts';

const LINK_ENDS = TOPOLOGY.links.flat().length;
const NAMES = TOPOLOGY.namespaces.map(({ name }) => name);

let lines: string[] = [];
const report = (line: string): void => {
  lines.push(line);
};

beforeEach(async () => {
  await destroyLab(report);
  lines = [];
});

afterEach(async () => {
  await destroyLab(report);
});

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8' });
}

/** Everything that is to be seen of the lab, but for what time changes. */
function portrait(): string {
  const parts = NAMES.flatMap((name) => [
    ip('-netns', name, 'address', 'show'),
    ip('-netns', name, 'route', 'show'),
    ip('-netns', name, '-6', 'route', 'show'),
    ip('netns', 'pids', name),
  ]);
  return parts.join('\n');
}

function traces(): readonly string[] {
  const names = ip('netns', 'list').split('\n');
  return [...names.filter((line) => NAMES.some((name) => line.startsWith(name))), ...stateFiles()];
}

function stateFiles(): readonly string[] {
  return existsSync('/run/hatoba-lab') ? ['/run/hatoba-lab'] : [];
}

/** Lets the client reach the inner network by routing, as no outside client can. */
async function routeInside(): Promise<void> {
  await runInside(CLIENT_NAMESPACE, 'ip', 'route', 'add', 'default', 'via', GATEWAY_ADDRESSES[4]);
  await runInside(CLIENT_NAMESPACE, 'ip', 'route', 'add', 'default', 'via', GATEWAY_ADDRESSES[6]);
}

describe('created', () => {
  test('it connects client, router and instance, by both families', async () => {
    await createLab(report);
    await routeInside();
    for (const family of [4, 6] as const) {
      const greeting = await knock(INSTANCE_ADDRESSES[family], INSTANCE_PORT);
      expect(greeting).toContain(`I see you as ${CLIENT_ADDRESSES[family]} port`);
    }
  });

  test('the client has no way to the instance of its own', async () => {
    await createLab(report);
    await expect(knock(INSTANCE_ADDRESSES[4], INSTANCE_PORT)).rejects.toThrow('ENETUNREACH');
    await expect(knock(GATEWAY_ADDRESSES[4], 5001)).rejects.toThrow('ECONNREFUSED');
  });

  test('again, it is the same, and nothing is reported', async () => {
    await createLab(report);
    // Carriers come up, and link-local addresses with them, some time after the command.
    await expect.poll(() => portrait().match(/fe80::\S+ scope link/g)).toHaveLength(LINK_ENDS);
    const before = portrait();
    lines = [];
    await createLab(report);
    expect(portrait()).toBe(before);
    expect(lines).toEqual([]);
  });

  test('what is missing is made anew', async () => {
    await createLab(report);
    ip('netns', 'delete', ROUTER_NAMESPACE);
    await createLab(report);
    await routeInside();
    expect(await knock(INSTANCE_ADDRESSES[4], INSTANCE_PORT)).toContain('Hello');
  });

  test('also from the remains of an interrupted attempt', async () => {
    ip('netns', 'add', CLIENT_NAMESPACE);
    ip('-netns', CLIENT_NAMESPACE, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'stray');
    writeFileSync(`/run/netns/${INSTANCE_NAMESPACE}`, '');
    await createLab(report);
    await routeInside();
    expect(await knock(INSTANCE_ADDRESSES[6], INSTANCE_PORT)).toContain('Hello');
  });
});

describe('destroyed', () => {
  test('it leaves no trace', async () => {
    await createLab(report);
    expect(traces()).toHaveLength(4);
    await destroyLab(report);
    expect(traces()).toEqual([]);
  });

  test('what runs in it ends with it', async () => {
    await createLab(report);
    const guest = spawn('nsenter', [`--net=/run/netns/${CLIENT_NAMESPACE}`, 'sleep', '600']);
    const ended = once(guest, 'exit');
    await once(guest, 'spawn');
    await expect.poll(() => ip('netns', 'pids', CLIENT_NAMESPACE)).toContain(String(guest.pid));
    await destroyLab(report);
    expect(await ended).toEqual([null, 'SIGTERM']);
  });

  test('the instance ends even when its namespace has lost its name', async () => {
    await createLab(report);
    const [pid = ''] = ip('netns', 'pids', INSTANCE_NAMESPACE).split('\n');
    ip('netns', 'delete', INSTANCE_NAMESPACE);
    await destroyLab(report);
    expect(existsSync(`/proc/${pid}/ns/net`)).toBe(false);
    expect(traces()).toEqual([]);
  });

  test('twice, the second time there is nothing to do', async () => {
    await createLab(report);
    await destroyLab(report);
    lines = [];
    await destroyLab(report);
    expect(lines).toEqual([]);
  });
});

test('a real router of that name is left as it is', async () => {
  ip('netns', 'add', ROUTER_NAMESPACE);
  ip('-netns', ROUTER_NAMESPACE, 'link', 'add', 'qg-00000000-00', 'type', 'veth');
  const before = ip('-netns', ROUTER_NAMESPACE, 'address', 'show');
  try {
    await expect(createLab(report)).rejects.toMatchObject({ code: 'lab_obstructed' });
    await expect(destroyLab(report)).rejects.toMatchObject({ code: 'lab_obstructed' });
    expect(ip('-netns', ROUTER_NAMESPACE, 'address', 'show')).toBe(before);
  } finally {
    ip('netns', 'delete', ROUTER_NAMESPACE);
  }
});
