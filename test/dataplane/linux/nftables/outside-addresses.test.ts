import fc from 'fast-check';
import { expect, test } from 'vitest';
import { outsideAddresses } from '../../../../src/dataplane/linux/nftables/outside-addresses.ts';
import { parseAddress } from '../../../../src/model/address.ts';
import { diff } from '../../../../src/program/diff.ts';
import type { Program } from '../../../../src/program/rule.ts';
import { programs } from '../../../program/programs.ts';

const UNIVERSE = {
  protocols: ['tcp', 'udp'] as const,
  external: ['203.0.113.7', '203.0.113.8', '2001:db8::7', '2001:db8::8'].map(parseAddress),
  externalPorts: [1, 80, '2-90'],
  internal: ['10.0.0.1', 'fd00::1'].map(parseAddress),
  internalPorts: [1, 22],
};

const textsOf = (program: Program) => new Set(Array.from(program.values(), ({ external }) => external.text));
const sorted = (addresses: Iterable<{ readonly text: string }>) => Array.from(addresses, ({ text }) => text).sort();

test('after any changes they are those of the rules, and each step tells the difference', () => {
  const some = fc.array(programs(UNIVERSE), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(programs(UNIVERSE), some, (first, others) => {
      const outside = outsideAddresses(first.values());
      let present = first;
      for (const next of others) {
        const { gone, come, done } = outside.plan(diff(present, next));
        expect(sorted(outside.all())).toEqual([...textsOf(present)].sort());
        expect(sorted(gone)).toEqual([...textsOf(present).difference(textsOf(next))].sort());
        expect(sorted(come)).toEqual([...textsOf(next).difference(textsOf(present))].sort());
        done();
        present = next;
      }
      expect(sorted(outside.all())).toEqual([...textsOf(present)].sort());
    }),
  );
});
