import { buildCommand, buildRouteMap } from '@stricli/core';
import { daemonFlags, listingFlag, withExamples } from './parameters.ts';

const list = buildCommand({
  loader: async () => (await import('./nodes/list.ts')).list,
  parameters: { flags: { output: listingFlag, ...daemonFlags }, aliases: { o: 'output' } },
  docs: {
    brief: 'List nodes',
    fullDescription: withExamples(
      'List the nodes: the one that answers, and all that have told of a router, perhaps some time ago. Version, roles and driver are known of the one that answers.',
      'hatoba node list',
      'hatoba node list -o wide',
    ),
  },
});

export const nodes = buildRouteMap({
  routes: { list },
  docs: {
    brief: 'List nodes',
    fullDescription: withExamples(
      'A node is a machine whose agent puts forwards into the routers that it has.',
      'hatoba node list',
    ),
  },
});
