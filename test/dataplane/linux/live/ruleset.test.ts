import { expect, test } from 'vitest';
import { parseRuleset } from '../../../../src/dataplane/linux/live/ruleset.ts';

/** As nft 1.0.6 prints it. */
const LISTED = `table inet hatoba { # handle 1
	map exact4 { # handle 5
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
		counter
	}

	chain translate { # handle 1
		dnat ip to ip daddr . meta l4proto . th dport map @exact4 # handle 15
	}

	chain prerouting { # handle 2
		type nat hook prerouting priority -110; policy accept;
		jump translate # handle 21
	}
}
table ip filter { # handle 3
	chain FORWARD { # handle 1
		type filter hook forward priority 0; policy drop;
		iifname "qg-outside" meta l4proto tcp tcp dport { 22, 6003 }  counter accept # handle 2
		meta l4proto udp comment "x # handle 3" drop # handle 7
	}
}
table netdev early { # handle 9
	chain in { # handle 1
		type filter hook ingress device "eth0" priority -500; policy accept;
	}
}
`;

const ruleset = parseRuleset(LISTED);

test.each([
  ['inet hatoba', 'translate', 15, 'dnat ip to ip daddr . meta l4proto . th dport map @exact4'],
  ['inet hatoba', 'prerouting', 21, 'jump translate'],
  ['ip filter', 'FORWARD', 2, 'iifname "qg-outside" meta l4proto tcp tcp dport { 22, 6003 }  counter accept'],
  ['ip filter', 'FORWARD', 7, 'meta l4proto udp comment "x # handle 3" drop'],
  ['ip filter', 'FORWARD', 3, null],
  ['ip filter', 'prerouting', 21, null],
  ['inet filter', 'FORWARD', 2, null],
])('the rule of %s %s %i is %s', (table, chain, handle, text) => expect(ruleset.rule(table, chain, handle)).toBe(text));

test('where chains begin', () => {
  expect(ruleset.base('inet hatoba', 'prerouting')).toEqual({ type: 'nat', hook: 'prerouting', priority: -110 });
  expect(ruleset.base('ip filter', 'FORWARD')).toEqual({ type: 'filter', hook: 'forward', priority: 0 });
  expect(ruleset.base('netdev early', 'in')).toEqual({ type: 'filter', hook: 'ingress', priority: -500 });
  expect(ruleset.base('inet hatoba', 'translate')).toBeNull();
  expect([ruleset.translatesAt('prerouting'), ruleset.translatesAt('output')]).toEqual([true, false]);
});

test('nothing at all', () => {
  expect(parseRuleset('').rule('ip nat', 'PREROUTING', 1)).toBeNull();
});
