import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { formatCsv } from '../../../src/cli/output/csv.ts';
import { formatJson, formatYaml } from '../../../src/cli/output/document.ts';
import { shortenIds } from '../../../src/cli/output/ids.ts';
import { type Column, formatPairs, formatTable } from '../../../src/cli/output/table.ts';

const STEERING = /(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/u;
const anyText = fc.string({ unit: 'binary' });

describe('JSON and YAML', () => {
  const values = fc.array(fc.record({ name: anyText, labels: fc.dictionary(fc.string(), anyText) }));

  test('give back what went in, and never steer a terminal', async () => {
    const check = async (value: unknown): Promise<void> => {
      const json = formatJson(value);
      expect(json).not.toMatch(STEERING);
      expect(JSON.parse(json)).toEqual(value);
    };
    await fc.assert(fc.asyncProperty(values, check));
  });

  test('YAML too', async () => {
    const texts = fc.array(fc.record({ description: anyText }));
    await fc.assert(
      fc.asyncProperty(texts, async (value) => {
        const yaml = await formatYaml(value);
        expect(yaml).not.toMatch(STEERING);
        expect(parse(yaml)).toEqual(value);
      }),
    );
  });

  test('what looks like another type stays text', async () => {
    const value = { port: '22', no: 'no', nothing: null, text: 'null' };
    expect(parse(await formatYaml(value))).toEqual(value);
  });
});

describe('CSV', () => {
  test('quotes what needs it, and nothing else', () => {
    expect(
      formatCsv(
        ['a', 'b'],
        [
          ['plain', 'with "quotes", commas'],
          ['two\nlines', ' led by a space'],
        ],
      ),
    ).toBe('a,b\r\nplain,"with ""quotes"", commas"\r\n"two\nlines"," led by a space"\r\n');
  });

  test('spells out what steers a terminal, as everywhere else', () => {
    expect(formatCsv(['a'], [['safe\u202eexe.cod'], ['\u001b[31mred\u0007'], ['x\u2066\u200b']])).toBe(
      'a\r\nsafe\\u202eexe.cod\r\n\\u001b[31mred\\u0007\r\nx\\u2066\\u200b\r\n',
    );
  });

  test('gives back what went in', () => {
    const fields = fc.array(
      fc.array(fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', ' ', 'a') }), { minLength: 2, maxLength: 2 }),
    );
    fc.assert(
      fc.property(fields, (rows) => {
        expect(readCsv(formatCsv(['a', 'b'], rows))).toEqual([['a', 'b'], ...rows]);
      }),
    );
  });
});

/** RFC 4180, read the plain way: field by field. */
function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

describe('tables', () => {
  const columns: readonly Column<{ readonly name: string; readonly state: string }>[] = [
    { title: 'name', cell: ({ name }) => name },
    { title: 'state', cell: ({ state }) => state, colour: () => 'green' },
    { title: 'end', cell: () => 'x' },
  ];
  const rows = [
    { name: '波止場', state: 'active' },
    { name: '', state: 'x\u001b[2J' },
  ];

  test('are aligned by what a terminal shows', () => {
    expect(formatTable(columns, rows, false)).toBe(
      'NAME    STATE       END\n波止場  active      x\n-       x\\u001b[2J  x\n',
    );
  });

  test('are aligned alike in colour', () => {
    const plain = stripVTControlCharacters(formatTable(columns, rows, true));
    expect(plain).toBe(formatTable(columns, rows, false));
    expect(formatTable(columns, rows, true)).toContain('\u001b[32mactive\u001b[0m');
  });

  test('pairs are aligned too', () => {
    expect(
      formatPairs([
        ['id', '1'],
        ['name', ''],
        ['router', 'a\tb'],
      ]),
    ).toBe('id:      1\nname:    -\nrouter:  a\\u0009b\n');
  });
});

describe('short ids', () => {
  test('are of eight characters, or of as many as none of the others shares', () => {
    const ids = [
      'aaaaaaaa-0000-4000-8000-000000000000',
      'aaaaaaaa-0000-4000-8000-000000000001',
      'bbbbbbbb-0000-4000-8000-000000000000',
    ];
    expect([...shortenIds(ids).values()].sort()).toEqual([ids[0], ids[1], 'bbbbbbbb']);
  });

  test('always lead to one id', () => {
    const ids = fc.uniqueArray(
      fc.uuid({ version: 4 }).map((id) => `0000${id.slice(4)}`),
      { minLength: 1, maxLength: 50 },
    );
    fc.assert(
      fc.property(ids, (all) => {
        for (const [id, short] of shortenIds(all)) expect(all.filter((one) => one.startsWith(short))).toEqual([id]);
      }),
    );
  });
});
