import { buildCommand } from '@stricli/core';
import { changeFlags, daemonFlags, routerFlag, withExamples } from './parameters.ts';

const { wait, output } = changeFlags;

export const recover = buildCommand({
  loader: async () => (await import('./recover/recover.ts')).recoverForwards,
  parameters: {
    flags: {
      router: routerFlag('only what the kernel has of this router; default: of all routers of the node'),
      dryRun: {
        kind: 'boolean',
        brief: 'Show what would be made, and change nothing',
        optional: true,
        withNegated: false,
      },
      wait,
      output,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Make forwards of what the kernel has and the database has lost',
    fullDescription: withExamples(
      "Make forwards of what is in the kernel of this node and unknown to its database, which is new, was emptied or is older. They keep their ids, so nothing changes in the kernel and connections go on. The kernel knows protocol, addresses, ports, sources and (not with iptables) the time of expiry; it knows no names, descriptions, labels and projects. What has the router's present gateway address becomes a forward on `gateway`. Forwards of which a stored one has the ports are left, and then the exit code is 4. `hatoba cleanup` takes what is left out of the kernel.",
      'hatoba recover --dry-run',
      'hatoba recover --router edge-1',
    ),
  },
});
