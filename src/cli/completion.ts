import { buildCommand, buildRouteMap } from '@stricli/core';
import { withExamples } from './parameters.ts';

const bash = buildCommand({
  loader: async () => (await import('./completion/print.ts')).printBash,
  parameters: {},
  docs: {
    brief: 'Print the completion script for bash',
    fullDescription: withExamples(
      'Print the completion script for bash.',
      'source <(hatoba completion bash)',
      'hatoba completion bash > /etc/bash_completion.d/hatoba',
    ),
  },
});

const zsh = buildCommand({
  loader: async () => (await import('./completion/print.ts')).printZsh,
  parameters: {},
  docs: {
    brief: 'Print the completion script for zsh',
    fullDescription: withExamples(
      'Print the completion script for zsh.',
      'source <(hatoba completion zsh)',
      "hatoba completion zsh > '/usr/local/share/zsh/site-functions/_hatoba'",
    ),
  },
});

const fish = buildCommand({
  loader: async () => (await import('./completion/print.ts')).printFish,
  parameters: {},
  docs: {
    brief: 'Print the completion script for fish',
    fullDescription: withExamples(
      'Print the completion script for fish.',
      'hatoba completion fish | source',
      'hatoba completion fish > ~/.config/fish/completions/hatoba.fish',
    ),
  },
});

export const completion = buildRouteMap({
  routes: { bash, zsh, fish },
  docs: {
    brief: 'Print a script that completes commands in a shell',
    fullDescription: withExamples(
      'Print a script that completes commands, flags, forwards and routers in a shell. What exists is asked of the daemon.',
      'source <(hatoba completion bash)',
    ),
  },
});
