import { buildCommand } from '@stricli/core';
import { LISTING_FORMATS } from './output/listing.ts';
import { daemonFlags, routerFlag, textFlag, withExamples } from './parameters.ts';
import { SORT_KEYS } from './top/rows.ts';

export const top = buildCommand({
  loader: async () => (await import('./top/show.ts')).showTop,
  parameters: {
    flags: {
      router: routerFlag('only the forwards of this router'),
      interval: textFlag('SECONDS', 'time between two looks; default 2'),
      sort: { kind: 'enum', values: SORT_KEYS, brief: 'What comes first', default: 'live' },
      once: { kind: 'boolean', brief: 'Print one look, and end', optional: true, withNegated: false },
      output: { kind: 'enum', values: LISTING_FORMATS, brief: 'Print one look in this form, and end', optional: true },
      ...daemonFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Watch what goes through the forwards',
    fullDescription: withExamples(
      'Watch what goes through the forwards of this node, the busiest first: connections that are open, new ones a second and, with `accounting: true` in the configuration, packets and bytes a second in both directions. On a terminal it is drawn anew every two seconds until q is pressed; elsewhere it is printed once, after one interval.',
      'hatoba top',
      'hatoba top --sort new --interval 1',
      'hatoba top --once -o json',
    ),
  },
});
