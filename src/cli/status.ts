import { buildCommand } from '@stricli/core';
import { daemonFlags, documentFlag, withExamples } from './parameters.ts';

export const status = buildCommand({
  loader: async () => (await import('./status/show.ts')).showStatus,
  parameters: { flags: { output: documentFlag, ...daemonFlags }, aliases: { o: 'output' } },
  docs: {
    brief: 'Show how the daemon and the forwards stand',
    fullDescription: withExamples(
      'Show how the daemon and the forwards stand, in one look.',
      'hatoba status',
      'hatoba status -o json',
    ),
  },
});
