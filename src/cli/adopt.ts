import { buildCommand } from '@stricli/core';
import { changeFlags, daemonFlags, routerFlag, textFlag, withExamples } from './parameters.ts';

const { wait, output } = changeFlags;

function switchFlag(brief: string) {
  return { kind: 'boolean', brief, optional: true, withNegated: false } as const;
}

export const adopt = buildCommand({
  loader: async () => (await import('./adopt/adopt.ts')).adoptRules,
  parameters: {
    flags: {
      router: routerFlag('router whose rules these are; may be left out where there is exactly one'),
      yes: switchFlag('Carry it out without asking'),
      followGateway: switchFlag("Let rules for the router's present address follow it when it changes"),
      allAddresses: switchFlag(
        'Make forwards for all addresses of an outside interface of a rule that is for its packets and names no address (no -d)',
      ),
      outside: {
        ...textFlag(
          'NAME',
          'beginning of the names of outside interfaces (qg-): a rule for packets that come in there is taken over for all',
        ),
        variadic: true,
      },
      wait,
      output,
      ...daemonFlags,
    },
    aliases: { o: 'output', y: 'yes' },
  },
  docs: {
    brief: 'Take over DNAT rules that were made by hand in a router',
    fullDescription: withExamples(
      'Take over the DNAT rules that somebody made with iptables in the namespaces of a router on this node: show what would be done, ask, make forwards that do the same, and remove each rule once its forwards are active. There is no moment without either, and established connections go on. A rule that no forward does exactly is named with the reason and stays, and then the exit code is 1; so do rules made with nft, and those of Neutron, Docker and other programs, which would make them anew. Without --yes, where nobody can be asked, nothing is changed. Whatever makes these rules at a start, such as a script or a saved dump, has to be changed by hand.',
      'hatoba adopt --router edge-1',
      'hatoba adopt --yes --router qrouter-8d3c0f6a-5a0e-4a57-9d6f-6d4ad6a5a1c2 --outside qg-',
    ),
  },
});
