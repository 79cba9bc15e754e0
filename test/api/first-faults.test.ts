import Type from 'typebox';
import { Compile } from 'typebox/compile';
import { describe, expect, test } from 'vitest';
import { onlyFirstFaults } from '../../src/api/first-faults.ts';
import { ApplySchema } from '../../src/api/v1/apply-schemas.ts';
import { compileValidator } from '../../src/api/validation.ts';

const Wishes = Type.Object(
  {
    names: Type.Immutable(Type.Array(Type.String())),
    labels: Type.Optional(Type.Record(Type.String(), Type.String())),
    items: Type.Optional(Type.Array(Type.Object({ port: Type.Number(), tags: Type.Array(Type.String()) }))),
  },
  { additionalProperties: false },
);

const good = { port: 1, tags: ['a', 'b'] };

describe('of a value that does not fit, there remains', () => {
  test.each([
    ['the first wrong item of a list', { names: ['a', 1, 2, 'b'] }, ['/names/1']],
    ['the first wrong entry of a record', { names: [], labels: { a: 'x', b: 1, c: 2 } }, ['/labels/b']],
    ['what is wrong within an item', { names: [], items: [good, { port: 1, tags: ['a', 2, 3] }] }, ['/items/1/tags/1']],
    ['one of each', { names: [1, 2], labels: { a: 1, b: 2 }, items: [{}] }, ['/names/0', '/labels/a', '/items/0']],
    ['one key that is not known', { names: [], odd: 1, odder: 2 }, ['/odd', '']],
    ['what is something else', { names: 'a' }, ['/names']],
  ])('%s', (_name, value, paths) => {
    const errors = Compile(Wishes).Errors(onlyFirstFaults(Wishes, value));
    expect([...new Set(errors.map(({ instancePath }) => instancePath))]).toEqual(paths);
  });

  test('all of it, where it is no object', () => {
    for (const value of [null, 1, 'x', [1]]) expect(onlyFirstFaults(Wishes, value)).toEqual(value);
  });
});

test('of a long list, no more is looked at than what comes before the first fault', () => {
  let looks = 0;
  const forwards = new Proxy(Array(1_000).fill({}), {
    get(target, key, receiver) {
      if (/^\d+$/.test(String(key))) looks++;
      return Reflect.get(target, key, receiver);
    },
  });
  const validate = compileValidator({ schema: ApplySchema, method: 'POST', url: '/', httpPart: 'body' });
  expect(validate({ forwards })).toMatchObject({
    error: { code: 'request_malformed', field: 'forwards.0.external_port' },
  });
  expect(looks).toBeLessThan(10);
});
