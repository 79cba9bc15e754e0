import type { CliContext } from '../context.ts';
import { describeError, exitOf } from '../errors.ts';

/** Acts on each in turn; a failure is told and does not keep the rest from its turn. The worst one is how it ends. */
export async function forEachReference(
  context: CliContext,
  references: readonly string[],
  act: (reference: string) => Promise<void>,
): Promise<void> {
  let worst = 0;
  for (const reference of references) {
    try {
      await act(reference);
    } catch (error) {
      context.process.stderr.write(`${describeError(error, context.env['HATOBA_DEBUG'] === '1')}\n`);
      worst = Math.max(worst, exitOf(error));
    }
  }
  if (worst > 0) context.process.exitCode = worst;
}
