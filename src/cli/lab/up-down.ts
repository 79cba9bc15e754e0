import type { CliContext } from '../context.ts';

/** The practice network is made here and not by the daemon; hence the import, which no other command pays. */
export async function up(this: CliContext): Promise<void> {
  const { createLab } = await import('../../lab/lab.ts');
  await createLab((line) => this.process.stdout.write(`${line}\n`));
}

export async function down(this: CliContext): Promise<void> {
  const { destroyLab } = await import('../../lab/lab.ts');
  await destroyLab((line) => this.process.stdout.write(`${line}\n`));
}
