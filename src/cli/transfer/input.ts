import { readFile } from 'node:fs/promises';
import { hatobaError, reasonOf } from '../../model/errors.ts';
import { absolute, type CliContext } from '../context.ts';
import { decodeText } from './decode-text.ts';

/** The text of a file, of standard input where it is called `-`. Error: `file_unreadable`. */
export async function readInput(context: CliContext, file: string): Promise<string> {
  try {
    if (file !== '-') return decodeText(await readFile(absolute(context, file)));
    if (context.readStdin === undefined) throw new Error('there is none');
    const content = await context.readStdin();
    return typeof content === 'string' ? content : decodeText(content);
  } catch (error) {
    const name = file === '-' ? 'standard input' : file;
    throw hatobaError('file_unreadable', { file: name, reason: reasonOf(error) }, { cause: error });
  }
}
