import { lstat, readlink } from 'node:fs/promises';
import { join, resolve, sep } from 'node:path';

/** As many links as Linux follows. */
const MOST_LINKS = 40;

/**
 * The directories in which something decides what the path leads to: those of every link on the way, also where a link is
 * to a directory, and at last that of the file. What is not there yet will appear in the last one that is.
 */
export async function directoriesOnTheWay(path: string): Promise<readonly string[]> {
  const found: string[] = [];
  let directory: string = sep;
  let ahead = namesOf(resolve(path));
  for (let links = 0; ahead.length > 0 && links <= MOST_LINKS; ) {
    const [name = '', ...rest] = ahead;
    const here = join(directory, name);
    const target = await targetOf(here);
    if (target === undefined) break;
    if (target === null) {
      if (rest.length > 0) directory = here;
      ahead = rest;
    } else {
      found.push(directory);
      links++;
      ahead = [...namesOf(resolve(directory, target)), ...rest];
      directory = sep;
    }
  }
  return [...new Set([...found, directory])];
}

function namesOf(path: string): readonly string[] {
  return path.split(sep).filter((name) => name !== '');
}

/** Where a link leads; `null`: it is none; `undefined`: it cannot be looked at, most likely since it is not there. */
async function targetOf(path: string): Promise<string | null | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? await readlink(path) : null;
  } catch {
    return undefined;
  }
}
