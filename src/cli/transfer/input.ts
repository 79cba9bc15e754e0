import { readFile } from 'node:fs/promises';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import { absolute, type CliContext } from '../context.ts';

/** The text of a file, of standard input where it is called `-`. Error: `file_unreadable`. */
export async function readInput(context: CliContext, file: string): Promise<string> {
  try {
    if (file !== '-') return await readFile(absolute(context, file), 'utf8');
    if (context.readStdin === undefined) throw new Error('there is none');
    return await context.readStdin();
  } catch (error) {
    const name = file === '-' ? 'standard input' : file;
    throw hatobaError('file_unreadable', { file: name, reason: reasonOf(error) }, { cause: error });
  }
}
