import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { openStoreAt } from './store-address.ts';

/**
 * Has another process commit to the store as fast as it can, kills it without warning `delay` milliseconds
 * after its first commit, and gives the last revision that was acknowledged to it.
 */
export async function commitUntilKilled(address: string, delay: number): Promise<number> {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), address], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = text(child.stdout);
  child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay));
  const [, signal]: unknown[] = await once(child, 'exit');
  if (signal !== 'SIGKILL') throw new Error('the committing process ended before it was killed');
  // The last line may be cut off; the one before it was acknowledged for certain.
  return Number((await output).split('\n').at(-2) ?? 0);
}

async function commitForever(address: string): Promise<void> {
  const store = await openStoreAt(address);
  for (let { revision } = await store.read(''); ; ) {
    const puts = ['a', 'b'].map((half) => ({ key: `k/${revision + 1}/${half}`, value: '0' }));
    const result = await store.commit({ puts });
    if (!result.committed) throw new Error('a commit without checks failed a check');
    revision = result.revision;
    // Synchronous on a pipe: what is written has left this process.
    process.stdout.write(`${revision}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await commitForever(process.argv[2] ?? '');
