import { buildCommand } from '@stricli/core';
import { daemonFlags, documentFlag, forwardArgument, routerFlag, withExamples } from './parameters.ts';

export const doctor = buildCommand({
  loader: async () => (await import('./doctor/show.ts')).showDiagnosis,
  parameters: {
    flags: {
      router: routerFlag('only this router, and no forward'),
      output: documentFlag,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [{ ...forwardArgument, optional: true }] },
  },
  docs: {
    brief: 'Look for what keeps packets from getting through',
    fullDescription: withExamples(
      'Look for what keeps packets from getting through, on the node that answers, and say what to do about it. Without a forward: the node and all of its routers, and only what is wrong with them. With one: everything about it, from the gateway address to the port of its target, which is asked for a TCP connection. Nothing is changed. The exit code is 1 if there is a problem; docs/findings.md lists all that can be found.',
      'hatoba doctor',
      'hatoba doctor ssh',
      'hatoba doctor --router host -o json',
    ),
  },
});
