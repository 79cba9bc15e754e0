import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { isLater } from '../../src/kernel/netlink/nfnetlink.ts';
import type { TableState } from '../../src/kernel/nft/nft-table.ts';
import { nft } from '../support/command.ts';
import { createNamespaces, type Namespaces } from '../support/namespaces.ts';
import { OUR_TABLE, openTestKernel } from './linux-under-test.ts';

const FRESH = OUR_TABLE.script;

let namespaces: Namespaces;
let router: string;
let kernel: Kernel;

beforeAll(async () => {
  namespaces = await createNamespaces();
  router = namespaces.name('router');
  await namespaces.add(router);
  kernel = await openTestKernel();
  await kernel.attach(router);
});

afterAll(async () => {
  await kernel?.stop();
  await namespaces?.[Symbol.asyncDispose]();
});

/** What the kernel tells after this script, which finds an empty ruleset. */
async function tableAfter(script: string): Promise<TableState | null> {
  await nft(router, `flush ruleset\n${script}`);
  return kernel.readTable(router);
}

async function elementsAfter(script: string): Promise<object> {
  const table = await tableAfter(`add table inet hatoba\n${script}\n`);
  return Object.fromEntries(table?.elements ?? []);
}

describe('elements', () => {
  test.each([
    ['exact4', '192.0.2.1 . tcp . 80', '10.0.0.1 . 8080', '192.0.2.1 . 6 . 80', '10.0.0.1 . 8080'],
    ['exact4', '255.255.255.255 . 255 . 65535', '0.0.0.0 . 0', '255.255.255.255 . 255 . 65535', '0.0.0.0 . 0'],
    ['exact6', '2001:db8::1 . udp . 53', 'fd00::1 . 53', '2001:db8::1 . 17 . 53', 'fd00::1 . 53'],
    ['exact6', '::ffff:1.2.3.4 . dccp . 1', '0:0:1:: . 1', '::ffff:102:304 . 33 . 1', '0:0:1:: . 1'],
  ])('of %s: %s → %s', async (map, key, value, readKey, readValue) => {
    const commented = await tableAfter(`${FRESH}add element inet hatoba ${map} { ${key} comment "c" : ${value} }\n`);
    expect(commented?.elements.get(map)).toEqual([{ key: readKey, value: readValue, comment: 'c' }]);
    const bare = await tableAfter(`${FRESH}add element inet hatoba ${map} { ${key} : ${value} }\n`);
    expect(bare?.elements.get(map)).toEqual([{ key: readKey, value: readValue, comment: '' }]);
  });

  test('that are intervals', async () => {
    const spans = `add map inet hatoba spans { type ipv4_addr . inet_proto . inet_service : ipv4_addr ; flags interval ; }
      add element inet hatoba spans { 192.0.2.0/24 . tcp . 80-90 comment "range" : 10.0.0.1 }`;
    expect(await elementsAfter(spans)).toEqual({
      spans: [{ key: '192.0.2.0 . 6 . 80-192.0.2.255 . 6 . 90', value: '10.0.0.1', comment: 'range' }],
    });
  });

  test('of sets, of verdict maps, with counters and timeouts, of types that are not ours', async () => {
    const script = `add set inet hatoba plain { type inet_service ; counter ; }
      add element inet hatoba plain { 80 counter packets 5 bytes 10 comment "web" }
      add set inet hatoba brief { type ipv6_addr ; timeout 1h ; }
      add element inet hatoba brief { fd00::1 timeout 5m }
      add map inet hatoba verdicts { type inet_proto : verdict ; }
      add element inet hatoba verdicts { tcp : accept }
      add map inet hatoba marks { type mark : mark ; }
      add element inet hatoba marks { 0x1 : 0x2 }`;
    expect(await elementsAfter(script)).toMatchObject({
      plain: [{ key: '80', value: '', comment: 'web' }],
      brief: [{ key: 'fd00::1', value: '', comment: '' }],
      verdicts: [{ key: '6' }],
      marks: [{ key: expect.stringMatching(/^0x/), value: expect.stringMatching(/^0x/) }],
    });
  });

  test('many, in both maps, all of them', async () => {
    const port = (index: number) => 1 + index;
    const ipv4 = Array.from(
      { length: 3_000 },
      (_, index) => `192.0.2.1 . 6 . ${port(index)} : 10.0.0.1 . ${port(index)}`,
    );
    const ipv6 = Array.from({ length: 3_000 }, (_, index) => `fd00::1 . 6 . ${port(index)} : fd00::2 . ${port(index)}`);
    const table = await tableAfter(
      `${FRESH}add element inet hatoba exact4 { ${ipv4.join(',')} }\nadd element inet hatoba exact6 { ${ipv6.join(',')} }\n`,
    );
    const read = (map: string) => table?.elements.get(map)?.map(({ key, value }) => `${key} : ${value}`);
    expect(new Set(read('exact4'))).toEqual(new Set(ipv4));
    expect(new Set(read('exact6'))).toEqual(new Set(ipv6));
  });
});

describe('the fingerprint', () => {
  test('is the same for the same script, whatever the elements and their counters', async () => {
    const [fresh, filled] = [
      await tableAfter(FRESH),
      await tableAfter(
        `add table ip other\n${FRESH}add element inet hatoba exact4 { 192.0.2.1 . 6 . 80 : 10.0.0.1 . 22 }\n`,
      ),
    ];
    expect(filled?.fingerprint).toBe(fresh?.fingerprint);
  });

  test.each([
    'add rule inet hatoba prerouting counter',
    'insert rule inet hatoba prerouting accept',
    'flush chain inet hatoba prerouting',
    'add chain inet hatoba other',
    'add chain inet hatoba other { type filter hook forward priority 0 ; policy drop ; }',
    'chain inet hatoba prerouting { policy drop ; }',
    'add set inet hatoba other { type mark ; }',
    'add table inet hatoba { flags dormant ; }',
    'delete chain inet hatoba prerouting',
    'flush table inet hatoba\ndelete map inet hatoba exact6',
    'flush table inet hatoba\ndelete map inet hatoba exact6\nadd map inet hatoba exact6 { type mark : mark ; }',
  ])('is another after %j', async (script) => {
    const fresh = await tableAfter(FRESH);
    const changed = await tableAfter(`${FRESH}${script}\n`);
    expect(changed).not.toBeNull();
    expect(changed?.fingerprint).not.toBe(fresh?.fingerprint);
  });
});

test('of two generations of a ruleset the later one is known, also around the end of the numbers', () => {
  const generation = fc.integer({ min: 0, max: 0xffff_ffff });
  fc.assert(
    fc.property(generation, fc.integer({ min: 1, max: 0x7fff_ffff }), (earlier, steps) => {
      const later = (earlier + steps) % 0x1_0000_0000;
      expect(isLater(later, earlier)).toBe(true);
      expect(isLater(earlier, later)).toBe(false);
      expect(isLater(earlier, earlier)).toBe(false);
    }),
    { examples: [[0xffff_ffff, 1]] },
  );
});
