import { expect, test } from 'vitest';
import { readTables } from '../../../../src/dataplane/linux/firewall/iptables-filter.ts';

test.each(['LOG', 'TRACE', 'MARK', 'CT', 'NFQUEUE'])(
  'a chain of the table called %s comes before the target',
  (name) => {
    const text = [
      '*filter',
      ':FORWARD ACCEPT [0:0]',
      `:${name} - [0:0]`,
      `-A FORWARD -j ${name}`,
      `-A FORWARD -g ${name}`,
    ];
    const [table] = readTables([...text, `-A ${name} -j DROP`, 'COMMIT', ''].join('\n'), 4);
    expect(table?.chains.get('FORWARD')?.map(({ steps }) => steps)).toEqual([
      [{ do: { kind: 'jump', chain: name } }],
      [{ do: { kind: 'goto', chain: name } }],
    ]);
  },
);
