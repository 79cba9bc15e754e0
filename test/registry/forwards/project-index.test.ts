import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Forward } from '../../../src/model/forward.ts';
import { createForwardIndex } from '../../../src/registry/forwards/forward-index.ts';
import { projectView } from '../../../src/registry/tenants/project-view.ts';
import { idOf } from '../../model/arbitraries.ts';
import { spec } from '../specs.ts';

const step = fc.record({
  id: fc.nat(7).map(idOf),
  router: fc.constantFrom('r1', 'r2'),
  project: fc.constantFrom('red', 'blue', null),
  day: fc.integer({ min: 1, max: 3 }),
  removes: fc.boolean(),
});

test('the forwards of a project are those of all that are of it, in the same order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const index = createForwardIndex();
      for (const [revision, { id, router, project, day, removes }] of steps.entries()) {
        const createdAt = `2026-01-0${day}T00:00:00.000Z`;
        const times = { createdAt, updatedAt: createdAt };
        if (removes) index.remove(index.get(id)?.router ?? router, id);
        else index.put({ ...spec({ router, project_id: project }), ...times, id, revision });
        for (const owner of ['red', 'blue']) expectViewOf(owner);
      }

      function expectViewOf(owner: string): void {
        const isOwn = ({ projectId }: Forward) => projectId === owner;
        const view = projectView(index, owner);
        expect(view.list()).toEqual(index.list().filter(isOwn));
        expect(index.projects.countOf(owner)).toBe(view.list().length);
        for (const router of ['r1', 'r2']) {
          const there = [...index.ofRouter(router).values()].filter(isOwn);
          expect(new Set(view.ofRouter(router).values())).toEqual(new Set(there));
        }
      }
    }),
  );
});

test('who has no project has nothing', () => {
  const index = createForwardIndex();
  const createdAt = '2026-01-01T00:00:00.000Z';
  index.put({ ...spec(), id: idOf(1), revision: 1, createdAt, updatedAt: createdAt });
  const view = projectView(index, null);
  expect([view.list(), view.ofRouter('r1').size, index.projects.countOf('red')]).toEqual([[], 0, 0]);
});
