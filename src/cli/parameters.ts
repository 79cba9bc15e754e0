import { PROTOCOL_NUMBERS } from '../model/protocol.ts';
import type { CliContext } from './context.ts';
import { DOCUMENT_FORMATS, LISTING_FORMATS } from './output/listing.ts';

/** Takes an argument as it is; one that looks like a flag is a flag nobody knows. */
export function word(input: string): string {
  if (input === '') throw new Error('it is empty');
  if (input.startsWith('-')) throw new Error('there is no such flag');
  return input;
}

/** Takes a flag's value as it is. */
function text(input: string): string {
  return input;
}

/** A whole command's description: what it does, then at least one line to try. */
export function withExamples(description: string, ...examples: readonly string[]): string {
  return [description, '', 'EXAMPLES', ...examples.map((example) => `  ${example}`)].join('\n');
}

export async function proposeForwards(this: CliContext, partial: string): Promise<readonly string[]> {
  return (await import('./completion/candidates.ts')).forwardCandidates(this, partial);
}

export async function proposeRouters(this: CliContext): Promise<readonly string[]> {
  return (await import('./completion/candidates.ts')).routerCandidates(this);
}

export async function proposeTokens(this: CliContext): Promise<readonly string[]> {
  return (await import('./completion/candidates.ts')).tokenCandidates(this);
}

/** A flag with a value, which the brief begins with: stricli's list of flags does not show placeholders. */
export function textFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: text, placeholder, brief: `${placeholder}: ${brief}`, optional: true } as const;
}

export function labelFlag(brief: string) {
  return { ...textFlag('KEY=VALUE', brief), variadic: true } as const;
}

export function sourceFlag(brief: string) {
  return { ...textFlag('CIDR', brief), variadic: true } as const;
}

export function routerFlag(brief: string) {
  return { ...textFlag('ROUTER', brief), proposeCompletions: proposeRouters } as const;
}

export const PROTOCOLS: readonly string[] = Object.freeze(Object.keys(PROTOCOL_NUMBERS));

/** Names of protocols count in any case, as iptables takes them. */
export const protocolFlag = {
  ...textFlag('PROTOCOL', `one of ${PROTOCOLS.join(', ')}; default tcp`),
  parse: (input: string) => input.toLowerCase(),
  proposeCompletions: () => PROTOCOLS,
} as const;

/** Where the daemon is, on every command that speaks to it. */
export const daemonFlags = {
  socket: textFlag('FILE', "the daemon's socket; default HATOBA_SOCKET, else /run/hatoba/hatoba.sock"),
  url: textFlag('URL', "the daemon's address where it is reached by TCP; default HATOBA_URL, with HATOBA_TOKEN"),
} as const;

/** `-o FORMAT` of a listing. */
export const listingFlag = {
  kind: 'enum',
  values: LISTING_FORMATS,
  brief: 'Form of the output',
  default: 'table',
} as const;

/** `-o FORMAT` where people otherwise get a sentence or a block of lines. */
export const documentFlag = {
  kind: 'enum',
  values: DOCUMENT_FORMATS,
  brief: "Print the API's object",
  optional: true,
} as const;

/** How long a change waits for the kernel, and what it prints. */
export const changeFlags = {
  wait: textFlag('SECONDS', 'how long to wait for the kernel, 0 to 60; default 5'),
  noWait: { kind: 'boolean', brief: 'Return as soon as the change is stored', optional: true, withNegated: false },
  output: documentFlag,
  quiet: { kind: 'boolean', brief: 'Print the id only', optional: true, withNegated: false },
  ...daemonFlags,
} as const;

export const changeAliases = { o: 'output', q: 'quiet' } as const;

/** One forward: its id, the beginning of it, or its name. */
export const forwardArgument = {
  brief: 'Id of a forward, its unique beginning, or its name',
  parse: word,
  placeholder: 'forward',
  proposeCompletions: proposeForwards,
} as const;
