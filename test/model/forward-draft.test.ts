import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ForwardInput, parseForwardSpec } from '../../src/model/forward.ts';
import { parseForwardDraft } from '../../src/model/forward-draft.ts';
import { forwardInput } from './arbitraries.ts';
import { refusal } from './refusal.ts';

const AUTO: ForwardInput = { router: 'edge', external_port: 'auto', internal_address: '192.168.50.11' };

test('a forward that leaves nothing open is what it always was', () => {
  fc.assert(
    fc.property(forwardInput, (input) => {
      expect(parseForwardDraft(input)).toEqual(parseForwardSpec(input));
    }),
  );
});

test('as many ports are left open as there are inside, unless it is said how many', () => {
  const auto = (internal_port: string | number, count?: number) =>
    parseForwardDraft({ ...AUTO, internal_port }, count).externalPorts;
  expect(auto(22)).toEqual({ auto: 1 });
  expect(auto('8001-8010')).toEqual({ auto: 10 });
  expect(auto('22', 10)).toEqual({ auto: 10 });
});

test('everything else is read as ever', () => {
  fc.assert(
    fc.property(forwardInput, ({ internal_port = 22, ...input }) => {
      const { externalPorts: open, ...draft } = parseForwardDraft({ ...input, internal_port, external_port: 'auto' });
      const { externalPorts: _, ...spec } = parseForwardSpec({ ...input, internal_port, external_port: internal_port });
      expect(open).toHaveProperty('auto');
      expect(draft).toEqual(spec);
    }),
  );
});

test.each<[Partial<ForwardInput>, string, string]>([
  [{}, 'internal_port_required', 'internal_port'],
  [{ internal_port: '' }, 'port_malformed', 'internal_port'],
  [{ internal_port: 'auto' }, 'port_malformed', 'internal_port'],
  [{ internal_port: 0 }, 'port_out_of_range', 'internal_port'],
  [{ internal_port: 22, internal_address: '010.0.0.1' }, 'address_leading_zero', 'internal_address'],
  [{ internal_port: 22, external_port: 'AUTO' }, 'port_malformed', 'external_port'],
  [{ internal_port: 22, external_port: 'auto-auto' }, 'port_malformed', 'external_port'],
])('%j is refused: %s in %s', (change, code, field) => {
  expect(refusal(() => parseForwardDraft({ ...AUTO, ...change }))).toMatchObject({ code, field });
});
