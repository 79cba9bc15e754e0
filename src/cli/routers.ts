import { buildCommand, buildRouteMap } from '@stricli/core';
import { daemonFlags, documentFlag, listingFlag, proposeRouters, withExamples, word } from './parameters.ts';

const list = buildCommand({
  loader: async () => (await import('./routers/list.ts')).list,
  parameters: { flags: { output: listingFlag, ...daemonFlags }, aliases: { o: 'output' } },
  docs: {
    brief: 'List routers',
    fullDescription: withExamples(
      'List the routers that some node has or some forward is for.',
      'hatoba router list',
      'hatoba router list -o wide',
    ),
  },
});

const show = buildCommand({
  loader: async () => (await import('./routers/show.ts')).show,
  parameters: {
    flags: { output: documentFlag, ...daemonFlags },
    aliases: { o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: 'Id of a router, its unique beginning, or the name of its namespace',
          parse: word,
          placeholder: 'router',
          proposeCompletions: proposeRouters,
        },
      ],
    },
  },
  docs: {
    brief: 'Show a router and how it stands on each node',
    fullDescription: withExamples(
      'Show a router and how it stands on each node.',
      'hatoba router show qrouter-8d3c0f6a-5a0e-4a57-9d6f-6d4ad6a5a1c2',
    ),
  },
});

export const routers = buildRouteMap({
  routes: { list, show },
  docs: {
    brief: 'List and show routers',
    fullDescription: withExamples(
      'A router is a network namespace that translates addresses: found by itself, never made or removed here.',
      'hatoba router list',
    ),
  },
});
