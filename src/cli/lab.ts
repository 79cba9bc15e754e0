import { buildCommand, buildRouteMap } from '@stricli/core';
import { withExamples } from './parameters.ts';

const up = buildCommand({
  loader: async () => (await import('./lab/up-down.ts')).up,
  parameters: {},
  docs: {
    brief: 'Build the practice network',
    fullDescription: withExamples(
      'Build a practice network of namespaces: a client outside, a router, and an instance that answers behind it.',
      'hatoba lab up',
    ),
  },
});

const down = buildCommand({
  loader: async () => (await import('./lab/up-down.ts')).down,
  parameters: {},
  docs: {
    brief: 'Remove the practice network',
    fullDescription: withExamples('Remove the practice network, without a trace.', 'hatoba lab down'),
  },
});

export const lab = buildRouteMap({
  routes: { up, down },
  docs: {
    brief: 'Build and remove a practice network',
    fullDescription: withExamples(
      'A practice network of namespaces to try hatoba in, which touches nothing else on this machine.',
      'hatoba lab up',
      'hatoba lab down',
    ),
  },
});
