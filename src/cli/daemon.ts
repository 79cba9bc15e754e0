import { buildCommand } from '@stricli/core';
import { textFlag, withExamples } from './parameters.ts';

const configFlag = textFlag('FILE', 'configuration; default /etc/hatoba/hatoba.yaml');

export const serve = buildCommand({
  loader: async () => (await import('./daemon/serve.ts')).serve,
  parameters: {
    flags: {
      config: configFlag,
      store: textFlag('sqlite:FILE', 'where forwards are kept'),
      socket: textFlag('FILE', 'unix socket to listen on; default HATOBA_SOCKET, else the configuration'),
      listen: textFlag('ADDR:PORT', 'TCP address to listen on, too; default HATOBA_LISTEN, else the configuration'),
      roles: textFlag('ROLES', 'what this daemon does: api,agent'),
      node: textFlag('NAME', "this machine's name among the nodes"),
      cleanupOnExit: {
        kind: 'boolean',
        brief: 'Take the forwards out of the kernel when it stops',
        optional: true,
        withNegated: false,
      },
    },
  },
  docs: {
    brief: 'Run the daemon, in the foreground',
    fullDescription: withExamples(
      'Run the daemon in the foreground until SIGTERM or SIGINT. The forwards stay in the kernel when it stops.',
      'hatoba serve',
      'hatoba serve --store sqlite:/tmp/try.db --socket /tmp/try.sock --cleanup-on-exit',
    ),
  },
});

export const cleanup = buildCommand({
  loader: async () => (await import('./daemon/cleanup.ts')).cleanup,
  parameters: { flags: { config: configFlag } },
  docs: {
    brief: 'Take all forwards, or orphaned ones, out of the kernel',
    fullDescription: withExamples(
      "Take all forwards out of this machine's kernel, while no daemon is running, which would put them back. They stay stored. While one is running, take out what it has found in the kernel and does not know (`orphaned` in `hatoba status`), which cannot be brought back; where there is nothing of that, nothing is done.",
      'hatoba cleanup',
    ),
  },
});
