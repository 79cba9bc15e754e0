import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { integer, text, transaction } from '../../../src/store/sqlite/rows.ts';

test('a transaction that fails in the middle leaves nothing, and the next one works', () => {
  const database = new DatabaseSync(':memory:');
  database.exec('CREATE TABLE numbers (number INTEGER NOT NULL) STRICT');
  const insert = database.prepare('INSERT INTO numbers VALUES (?)');
  expect(() =>
    transaction(database, () => {
      insert.run(1);
      insert.run(null);
    }),
  ).toThrow('NOT NULL constraint failed');
  expect(transaction(database, () => insert.run(2).changes)).toBe(1);
  expect(database.prepare('SELECT number FROM numbers').all()).toEqual([{ number: 2 }]);
  database.close();
});

test('a column of another type than the schema says is an error, not a value', () => {
  expect(() => integer('1')).toThrow(expect.objectContaining({ code: 'store_failed' }));
  expect(() => text(null)).toThrow(expect.objectContaining({ code: 'store_failed' }));
  expect(() => text(undefined)).toThrow(expect.objectContaining({ code: 'store_failed' }));
});
