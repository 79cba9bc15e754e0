import { HatobaError } from '../../model/errors.ts';
import { type Client, createClient } from '../client.ts';
import type { CliContext } from '../context.ts';

/** Who presses Tab waits no longer than this. */
const PATIENCE_MS = 500;

/** Names of forwards, ids of those without; once an id is begun, also ids of the others. */
export function forwardCandidates(context: CliContext, partial: string): Promise<readonly string[]> {
  return ask(context, async (client) => {
    const { forwards } = await client.firstForwards();
    return forwards.flatMap(({ id, name }) => (name === null ? [id] : partial === '' ? [name] : [name, id]));
  });
}

export function routerCandidates(context: CliContext): Promise<readonly string[]> {
  return ask(context, async (client) => (await client.listRouters()).map((router) => router.id));
}

export function tokenCandidates(context: CliContext): Promise<readonly string[]> {
  return ask(context, async (client) => (await client.listTokens()).map((token) => token.name));
}

/** A prompt is no place for errors: without an answer there is nothing to propose. */
async function ask(
  context: CliContext,
  question: (client: Client) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  try {
    return await question(createClient(context, {}, PATIENCE_MS));
  } catch (error) {
    if (error instanceof HatobaError) return [];
    throw error;
  }
}
