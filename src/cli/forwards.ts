import { buildCommand, buildRouteMap } from '@stricli/core';
import type { ForwardSort } from './forwards/list.ts';
import { STATES } from './output/states.ts';
import {
  changeAliases,
  changeFlags,
  daemonFlags,
  documentFlag,
  forwardArgument,
  labelFlag,
  listingFlag,
  PROTOCOLS,
  protocolFlag,
  routerFlag,
  sourceFlag,
  textFlag,
  withExamples,
  word,
} from './parameters.ts';

const SORTS: readonly ForwardSort[] = [
  'created_at',
  'updated_at',
  'name',
  'router',
  'external_port',
  'internal_address',
];

const manyForwards = { kind: 'array', parameter: forwardArgument, minimum: 1 } as const;

const add = buildCommand({
  loader: async () => (await import('./forwards/add.ts')).add,
  parameters: {
    flags: {
      router: routerFlag('router it is for; may be left out where there is exactly one'),
      protocol: protocolFlag,
      source: sourceFlag('who may use it; may be given several times; default anyone'),
      name: textFlag('NAME', 'name to call it by'),
      description: textFlag('TEXT', 'free text'),
      label: labelFlag('label; may be given several times'),
      project: textFlag('PROJECT', 'project it belongs to'),
      disabled: { kind: 'boolean', brief: 'Store it, but switched off', optional: true, withNegated: false },
      expires: textFlag('WHEN', 'ends by itself after a while (45s, 30m, 2h, 7d) or at a time (2030-12-24T18:30:00Z)'),
      ...changeFlags,
    },
    aliases: changeAliases,
    positional: {
      kind: 'tuple',
      parameters: [
        {
          brief: "[ADDR:]PORT outside, or auto for a free one; without an address the router's own, which it follows",
          parse: word,
          placeholder: 'external',
        },
        {
          brief: 'ADDR[:PORT] of the service inside; without a port the same as outside',
          parse: word,
          placeholder: 'internal',
        },
      ],
    },
  },
  docs: {
    brief: 'Publish a service that lives behind a router',
    fullDescription: withExamples(
      'Publish a service that lives behind a router, and wait until the rule is in the kernel.',
      'hatoba forward add 5001 192.168.50.11:22',
      'hatoba forward add --name web --router qrouter-8d3c0f6a-5a0e-4a57-9d6f-6d4ad6a5a1c2 80 192.168.50.12:8080',
      "hatoba forward add --protocol udp '[2001:db8::1]:53' '[fd00::53]'",
      'hatoba forward add --source 203.0.113.0/24 --source 198.51.100.7 8000-8099 192.168.50.12:8000-8099',
      'hatoba forward add --expires 2h auto 192.168.50.11:22',
    ),
  },
});

const list = buildCommand({
  loader: async () => (await import('./forwards/list.ts')).list,
  parameters: {
    flags: {
      output: listingFlag,
      router: routerFlag('only forwards of this router'),
      state: { kind: 'enum', values: STATES, brief: 'Only forwards in this state', optional: true },
      project: textFlag('PROJECT', 'only forwards of this project'),
      name: textFlag('NAME', 'only the forward of this name'),
      protocol: { ...protocolFlag, brief: `PROTOCOL: only forwards of one of ${PROTOCOLS.join(', ')}` },
      internal: textFlag('ADDR', 'only forwards to this address inside'),
      label: textFlag('KEY=VALUE', 'only forwards with this label'),
      sort: { kind: 'enum', values: SORTS, brief: 'What they are in the order of', default: 'created_at' },
      reverse: { kind: 'boolean', brief: 'In the opposite order', optional: true, withNegated: false },
      ...daemonFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'List forwards',
    fullDescription: withExamples(
      'List forwards, oldest first unless --sort says otherwise.',
      'hatoba forward list',
      'hatoba forward list --state waiting -o wide',
      'hatoba forward list --internal 192.168.50.11 --sort external_port',
      'hatoba forward list -o json',
    ),
  },
});

const show = buildCommand({
  loader: async () => (await import('./forwards/show.ts')).show,
  parameters: {
    flags: { output: documentFlag, ...daemonFlags },
    aliases: { o: 'output' },
    positional: { kind: 'tuple', parameters: [forwardArgument] },
  },
  docs: {
    brief: 'Show a forward and how it stands on each node',
    fullDescription: withExamples(
      'Show a forward, how it stands on each node, and what has gone through it. In JSON and YAML, `counters` is beside its fields: null if they could not be read.',
      'hatoba forward show web',
      'hatoba forward show 1b2c3d4e -o yaml',
    ),
  },
});

const set = buildCommand({
  loader: async () => (await import('./forwards/set.ts')).set,
  parameters: {
    flags: {
      external: textFlag(
        '[ADDR:]PORT',
        "outside, auto for another free one; a bare port leaves the address as it is, gateway:PORT makes it the router's own",
      ),
      internal: textFlag('ADDR[:PORT]', 'inside; a bare address leaves the port as it is'),
      router: routerFlag('router it is for'),
      protocol: { ...protocolFlag, brief: `PROTOCOL: one of ${PROTOCOLS.join(', ')}` },
      source: sourceFlag('who may use it; may be given several times, and together they replace all it had'),
      anyone: { kind: 'boolean', brief: 'Let anyone use it', optional: true, withNegated: false },
      name: textFlag('NAME', 'name to call it by'),
      noName: { kind: 'boolean', brief: 'Take its name away', optional: true, withNegated: false },
      description: textFlag('TEXT', 'free text; an empty one takes it away'),
      label: labelFlag('label; may be given several times, and together they replace all it had'),
      expires: textFlag('WHEN', 'ends by itself after a while from now or at a time, as with add; or never'),
      ifRevision: textFlag('REVISION', 'only if it is still at this revision'),
      ...changeFlags,
    },
    aliases: changeAliases,
    positional: { kind: 'tuple', parameters: [forwardArgument] },
  },
  docs: {
    brief: 'Change a forward',
    fullDescription: withExamples(
      'Change what is named of a forward, and wait until the kernel has it.',
      'hatoba forward set web --internal 192.168.50.13:8080',
      'hatoba forward set 1b2c3d4e --external 5002 --if-revision 17',
      'hatoba forward set web --expires 7d',
    ),
  },
});

const enable = buildCommand({
  loader: async () => (await import('./forwards/set.ts')).enable,
  parameters: { flags: changeFlags, aliases: changeAliases, positional: manyForwards },
  docs: {
    brief: 'Switch forwards on',
    fullDescription: withExamples('Switch forwards on.', 'hatoba forward enable web ssh'),
  },
});

const disable = buildCommand({
  loader: async () => (await import('./forwards/set.ts')).disable,
  parameters: { flags: changeFlags, aliases: changeAliases, positional: manyForwards },
  docs: {
    brief: 'Switch forwards off; they keep their ports',
    fullDescription: withExamples('Switch forwards off; they keep their ports.', 'hatoba forward disable web'),
  },
});

const remove = buildCommand({
  loader: async () => (await import('./forwards/remove.ts')).remove,
  parameters: {
    flags: {
      drain: { kind: 'boolean', brief: 'Let its connections go on until they end', optional: true, withNegated: false },
      wait: changeFlags.wait,
      noWait: changeFlags.noWait,
      quiet: changeFlags.quiet,
      ...daemonFlags,
    },
    aliases: { q: 'quiet' },
    positional: manyForwards,
  },
  docs: {
    brief: 'Remove forwards',
    fullDescription: withExamples(
      'Remove forwards, and end the connections that go through them; with --drain these go on, and new ones are refused. Where one of several cannot be removed, the others are.',
      'hatoba forward remove web',
      'hatoba forward remove 1b2c3d4e 5f60718a',
      'hatoba forward remove --drain web',
    ),
  },
});

export const forwards = buildRouteMap({
  routes: { add, list, show, set, enable, disable, remove },
  docs: {
    brief: 'Add, list and change forwards',
    fullDescription: withExamples(
      'A forward publishes a service that lives behind a router on an outside address of that router.',
      'hatoba forward add 5001 192.168.50.11:22',
      'hatoba forward list',
    ),
  },
});
