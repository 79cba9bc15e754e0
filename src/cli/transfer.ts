import { buildCommand } from '@stricli/core';
import { changeFlags, daemonFlags, routerFlag, textFlag, withExamples, word } from './parameters.ts';
import { EXPORT_FORMATS } from './transfer/formats.ts';

const { wait, noWait, output } = changeFlags;

/** A file, of which `-` is one, too. */
function path(input: string): string {
  return input === '-' ? input : word(input);
}

function switchFlag(brief: string) {
  return { kind: 'boolean', brief, optional: true, withNegated: false } as const;
}

const dryRun = switchFlag('Show what would be changed, and change nothing');

export const apply = buildCommand({
  loader: async () => (await import('./transfer/apply.ts')).apply,
  parameters: {
    flags: {
      file: {
        ...textFlag('FILE', 'YAML or JSON with a list called forwards; - reads standard input'),
        optional: false,
      },
      router: routerFlag('router of forwards that name none'),
      dryRun,
      prune: switchFlag('Also remove what is not in the file, in the routers that it names'),
      all: switchFlag('With --prune: in every router'),
      wait,
      noWait,
      output,
      ...daemonFlags,
    },
    aliases: { f: 'file', o: 'output' },
  },
  docs: {
    brief: 'Make the forwards what a file says, all or none',
    fullDescription: withExamples(
      'Make the forwards what a file says, all of them or, where one is refused, none, and print each change: + created, ~ changed, - removed. A forward in the file is the one of its id, else of its name, else at its place (router, protocol, external address, ports and sources), else a new one; what the file does not say of it has its default.',
      'hatoba apply -f forwards.yaml --dry-run',
      'hatoba apply -f forwards.yaml --prune',
      'hatoba export | ssh other-node hatoba apply -f -',
    ),
  },
});

export const exportForwards = buildCommand({
  loader: async () => (await import('./transfer/export.ts')).exportForwards,
  parameters: {
    flags: {
      format: { kind: 'enum', values: EXPORT_FORMATS, brief: 'Form of the output', default: 'yaml' },
      router: routerFlag('only forwards of this router'),
      ...daemonFlags,
    },
  },
  docs: {
    brief: 'Print the forwards as a file',
    fullDescription: withExamples(
      'Print the forwards, oldest first, as a file that apply reads: applied to this daemon it changes nothing, applied to an empty one it makes the same forwards, with ids of their own. iptables and ip6tables print the rules of one router that do the same, for iptables-restore --noflush; what these cannot do is a comment.',
      'hatoba export > forwards.yaml',
      'hatoba export --format iptables --router qrouter-8d3c0f6a-5a0e-4a57-9d6f-6d4ad6a5a1c2',
    ),
  },
});

export const importForwards = buildCommand({
  loader: async () => (await import('./transfer/import.ts')).importForwards,
  parameters: {
    flags: {
      router: routerFlag('router that they are for; default: the one that a dump is called after'),
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
      dryRun,
      wait,
      noWait,
      output,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief:
          'Output of iptables-save or ip6tables-save, or a file for apply; a directory of such; - for standard input',
        parse: path,
        placeholder: 'file',
      },
    },
  },
  docs: {
    brief: 'Take over the DNAT rules of an iptables dump',
    fullDescription: withExamples(
      "Take over the DNAT rules of what iptables-save printed, or the forwards of a file for apply. Each rule becomes forwards that do the same for every packet that arrives, or is named with the reason why it does not, and then the exit code is 1; Neutron's own rules are left to it. The rules in the kernel stay as they are. A dump is of the router that --router names, or that the file is called after: qrouter-<uuid>, or another namespace's name.",
      'hatoba import --dry-run /etc/iptables-namespace',
      'hatoba import --router edge-1 --outside wan --follow-gateway rules.v4',
    ),
  },
});

export const backup = buildCommand({
  loader: async () => (await import('./transfer/backup.ts')).backup,
  parameters: { flags: { ...daemonFlags } },
  docs: {
    brief: 'Print all forwards, for restore',
    fullDescription: withExamples(
      'Print all forwards as they are at one moment, with ids and times, for restore.',
      'hatoba backup > hatoba-backup.json',
    ),
  },
});

export const restore = buildCommand({
  loader: async () => (await import('./transfer/backup.ts')).restore,
  parameters: {
    flags: {
      replace: switchFlag('Also where there are forwards; those that the backup does not have are removed'),
      wait,
      noWait,
      output,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
  },
  docs: {
    brief: 'Put back the forwards of a backup',
    fullDescription: withExamples(
      'Put back the forwards of a backup from standard input, with the ids and times they had, all or none. Refused where there are forwards already, unless --replace is given.',
      'hatoba restore < hatoba-backup.json',
    ),
  },
});
