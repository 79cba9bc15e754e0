import { buildCommand, buildRouteMap } from '@stricli/core';
import { ROLES } from '../model/caller.ts';
import { daemonFlags, documentFlag, listingFlag, proposeTokens, textFlag, withExamples, word } from './parameters.ts';

const create = buildCommand({
  loader: async () => (await import('./tokens/create.ts')).create,
  parameters: {
    flags: {
      role: {
        kind: 'enum',
        values: ROLES,
        brief: 'What it may do: look, also change forwards, or everything',
        default: 'reader',
      },
      project: textFlag('PROJECT', 'project whose forwards it sees and makes; without it those of all projects'),
      expires: textFlag('WHEN', 'ends by itself after a while (2h, 30d) or at a time (2030-12-24T18:30:00Z)'),
      output: documentFlag,
      ...daemonFlags,
    },
    aliases: { o: 'output' },
    positional: {
      kind: 'tuple',
      parameters: [{ brief: 'Name to call it by', parse: word, placeholder: 'name' }],
    },
  },
  docs: {
    brief: 'Make a token and print it',
    fullDescription: withExamples(
      'Make a token and print it, this once: only its hash is kept.',
      'hatoba token create ci --role member --project 7a5b2d10c9e84f3f8e5d9b1c2a3f4e5d --expires 30d',
      'hatoba token create monitoring > /etc/prometheus/hatoba.token',
    ),
  },
});

const list = buildCommand({
  loader: async () => (await import('./tokens/list.ts')).list,
  parameters: { flags: { output: listingFlag, ...daemonFlags }, aliases: { o: 'output' } },
  docs: {
    brief: 'List tokens, oldest first',
    fullDescription: withExamples('List tokens, oldest first, those that have expired included.', 'hatoba token list'),
  },
});

const revoke = buildCommand({
  loader: async () => (await import('./tokens/revoke.ts')).revoke,
  parameters: {
    flags: { ...daemonFlags },
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: {
        brief: 'Name or id of a token, or the unique beginning of an id',
        parse: word,
        placeholder: 'token',
        proposeCompletions: proposeTokens,
      },
    },
  },
  docs: {
    brief: 'Revoke tokens',
    fullDescription: withExamples(
      'Revoke tokens: from now on they are refused. Where one of several cannot be revoked, the others are.',
      'hatoba token revoke ci',
    ),
  },
});

export const tokens = buildRouteMap({
  routes: { create, list, revoke },
  docs: {
    brief: 'Make, list and revoke API tokens',
    fullDescription: withExamples(
      'Whoever uses the API over TCP says by a token who they are. The unix socket needs none.',
      'hatoba token create ci --role member --expires 30d',
      'hatoba token list',
    ),
  },
});
