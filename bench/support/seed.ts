import { randomUUID } from 'node:crypto';
import { type ForwardSpec, parseForwardSpec } from '../../src/model/forward.ts';
import { isRule, type Program, type Rule, resolveForward } from '../../src/program/rule.ts';
import { writeForward } from '../../src/registry/forwards/forward-record.ts';
import { forwardKey, guardKey } from '../../src/registry/keys.ts';
import type { Store } from '../../src/store/store.ts';

export const EXTERNAL = '192.168.1.100';

/** The nth forward of a router: outside port n + 1 of the first 60,000, then of the next address. */
export function specOf(router: string, at: number): ForwardSpec {
  return parseForwardSpec({
    router,
    external_address: at < 60_000 ? EXTERNAL : '192.168.1.101',
    external_port: (at % 60_000) + 1,
    internal_address: `192.168.50.${11 + (at % 200)}`,
    internal_port: 22,
  });
}

/** Writes so many forwards for each router, as the registry does, but many with one commit. */
export async function seed(store: Store, routers: readonly string[], each: number): Promise<void> {
  const now = new Date().toISOString();
  for (const router of routers) {
    const forwards = Array.from({ length: each }, (_, at) => {
      const id = randomUUID();
      const value = writeForward({ id, spec: specOf(router, at), createdAt: now, updatedAt: now });
      return { key: forwardKey(router, id), value };
    });
    await store.commit({ puts: [{ key: guardKey(router), value: '{}' }, ...forwards] });
  }
}

/** What those forwards are as a program. */
export function programOf(router: string, count: number): Program {
  const rules = new Map<string, Rule>();
  for (let at = 0; at < count; at++) {
    const id = randomUUID();
    const rule = resolveForward({ ...specOf(router, at), id, revision: 1, createdAt: '', updatedAt: '' }, {});
    if (isRule(rule)) rules.set(id, rule);
  }
  return rules;
}
