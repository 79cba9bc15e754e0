import { readFile } from 'node:fs/promises';
import type { CliContext } from '../context.ts';

/** Each script hands the words typed so far to `hatoba __complete`, which answers as `proposeLines` says. */
export async function printBash(this: CliContext): Promise<void> {
  await print(this, 'bash');
}

export async function printZsh(this: CliContext): Promise<void> {
  await print(this, 'zsh');
}

export async function printFish(this: CliContext): Promise<void> {
  await print(this, 'fish');
}

async function print(context: CliContext, shell: string): Promise<void> {
  context.process.stdout.write(await readFile(new URL(`hatoba.${shell}`, import.meta.url), 'utf8'));
}
