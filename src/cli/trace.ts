import { buildCommand } from '@stricli/core';
import { daemonFlags, documentFlag, protocolFlag, routerFlag, textFlag, withExamples } from './parameters.ts';

export const trace = buildCommand({
  loader: async () => (await import('./trace/show.ts')).showTrace,
  parameters: {
    flags: {
      from: { ...textFlag('ADDR[:PORT]', 'the client'), optional: false },
      to: {
        ...textFlag('ADDR:PORT', 'where its packet is sent to: an outside address of the router'),
        optional: false,
      },
      protocol: protocolFlag,
      router: routerFlag('router that it comes to; may be left out where there is exactly one'),
      live: {
        kind: 'boolean',
        brief: 'Also wait for such a packet, and tell what the kernel does with it',
        optional: true,
        withNegated: false,
      },
      timeout: textFlag('SECONDS', 'with --live: how long to wait for it, 1 to 60; default 10'),
      output: documentFlag,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Tell what a router does to a packet, and why',
    fullDescription: withExamples(
      'Tell step by step what a router does to the first packet of a connection: which forward takes it, where it leaves to, and what the answer does; or which forwards come near, and what keeps each of them from taking it. Told from what is wanted and from what the nodes have reported; no packet is sent. With --live the daemon then waits until such a packet comes, and tells every chain and rule that the kernel took it through, ours and those of others, where it left, and what became of the answer.',
      'hatoba trace --from 198.51.100.5 --to 192.168.1.100:5001',
      'hatoba trace --live --from 198.51.100.5 --to 192.168.1.100:5001',
      "hatoba trace --protocol udp --from '[2001:db8:1::5]:40000' --to '[2001:db8::1]:53' -o json",
    ),
  },
});
