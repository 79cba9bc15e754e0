import { expect, test } from 'vitest';
import { cleanAll } from '../../src/dataplane/clean-all.ts';
import { hatobaError } from '../../src/model/errors.ts';
import { createMemoryWorld } from '../contract/memory-dataplane.ts';

function failingAt(failures: Readonly<Record<string, Error>>) {
  const cleaned: string[] = [];
  const dataplane = {
    ...createMemoryWorld().open(),
    async clean(id: string) {
      const failure = failures[id];
      if (failure !== undefined) throw failure;
      cleaned.push(id);
    },
  };
  return { cleaned, dataplane };
}

test('what is gone meanwhile is clean', async () => {
  const { cleaned, dataplane } = failingAt({ b: hatobaError('namespace_gone', { namespace: 'b' }) });
  await cleanAll(dataplane, ['a', 'b', 'c']);
  expect(cleaned).toEqual(['a', 'c']);
});

test('a failure does not keep the others from being cleaned, and is told', async () => {
  const refused = hatobaError('kernel_refused', { namespace: 'a', reason: 'no' });
  const { cleaned, dataplane } = failingAt({ a: refused });
  await expect(cleanAll(dataplane, ['a', 'b'])).rejects.toBe(refused);
  expect(cleaned).toEqual(['b']);
});
