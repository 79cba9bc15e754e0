import { HatobaError, hatobaError } from '../../model/errors.ts';
import { isUuid, isUuidPrefix } from '../../model/ids.ts';
import type { Client } from '../client.ts';

/** Reads `KEY=VALUE` texts, later ones winning. Error: `usage_malformed`. */
export function readLabels(texts: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    texts.map((text) => {
      const equals = text.indexOf('=');
      if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
      throw hatobaError('usage_malformed', { reason: `--label: ${text} is not of the form KEY=VALUE` });
    }),
  );
}

/**
 * The router's whole id where the text is the beginning of one, as tables show it; any other text as it is:
 * a forward may be for a router that is not there yet.
 */
export async function completeRouter(client: Client, text: string): Promise<string> {
  if (isUuid(text) || !isUuidPrefix(text)) return text;
  try {
    return (await client.getRouter(text)).id;
  } catch (error) {
    if (error instanceof HatobaError && error.code === 'router_not_found') return text;
    throw error;
  }
}
