import { type Application, buildApplication, buildRouteMap, type Command, type RouteMap } from '@stricli/core';
import type { CliContext } from './context.ts';
import { exitOf } from './errors.ts';
import { withExamples } from './parameters.ts';
import { cliText } from './text.ts';

type Target = Command<CliContext> | RouteMap<CliContext>;

/** In the order of the help. */
const TARGETS: Readonly<Record<string, () => Promise<Target>>> = Object.freeze({
  forward: async () => (await import('./forwards.ts')).forwards,
  apply: async () => (await import('./transfer.ts')).apply,
  export: async () => (await import('./transfer.ts')).exportForwards,
  import: async () => (await import('./transfer.ts')).importForwards,
  adopt: async () => (await import('./adopt.ts')).adopt,
  recover: async () => (await import('./recover.ts')).recover,
  backup: async () => (await import('./transfer.ts')).backup,
  restore: async () => (await import('./transfer.ts')).restore,
  router: async () => (await import('./routers.ts')).routers,
  token: async () => (await import('./tokens.ts')).tokens,
  node: async () => (await import('./nodes.ts')).nodes,
  status: async () => (await import('./status.ts')).status,
  top: async () => (await import('./top.ts')).top,
  doctor: async () => (await import('./doctor.ts')).doctor,
  trace: async () => (await import('./trace.ts')).trace,
  serve: async () => (await import('./daemon.ts')).serve,
  cleanup: async () => (await import('./daemon.ts')).cleanup,
  lab: async () => (await import('./lab.ts')).lab,
  completion: async () => (await import('./completion.ts')).completion,
});

/**
 * What can be typed after `hatoba`: everything, or with `first` what begins with that word, for each module loaded
 * costs a command about a millisecond. `withStack`: errors come with where they were thrown.
 */
export async function buildCli(first: string | undefined, withStack: boolean): Promise<Application<CliContext>> {
  const wanted = Object.entries(TARGETS).filter(([name]) => name === first);
  const chosen = wanted.length > 0 ? wanted : Object.entries(TARGETS);
  const routes = await Promise.all(chosen.map(async ([name, load]) => [name, await load()] as const));
  return buildApplication<CliContext>(buildRouteMap({ routes: Object.fromEntries(routes), docs: DOCS }), {
    name: 'hatoba',
    versionInfo: { getCurrentVersion: readVersion },
    scanner: {
      caseStyle: 'allow-kebab-for-camel',
      allowArgumentEscapeSequence: true,
      distanceOptions: { threshold: 3, weights: { insertion: 1, deletion: 3, substitution: 2, transposition: 1 } },
    },
    documentation: { onlyRequiredInUsageLine: true, disableAnsiColor: true },
    localization: { text: cliText(withStack) },
    determineExitCode: exitOf,
  });
}

const DOCS = {
  brief: 'Publish services that live behind a router',
  fullDescription: withExamples(
    "Publish services that live behind a router on the router's own outside address, and keep them published.",
    'hatoba serve',
    'hatoba forward add 5001 192.168.50.11:22',
    'hatoba forward list',
  ),
};

async function readVersion(): Promise<string> {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  return manifest.version;
}
