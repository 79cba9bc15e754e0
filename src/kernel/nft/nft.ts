import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { hatobaError } from '../../model/errors.ts';

/** Runs nft scripts, each as one transaction. */
export interface NftDriver {
  readonly name: 'libnftables' | 'nft';
  /**
   * Applies the script in the network namespace `fd`, which the calling thread must be in.
   * `undefined`: done; otherwise nothing was changed, and this is what nft said.
   */
  run(fd: number, script: string): string | undefined;
}

export type NftDriverName = NftDriver['name'];

/** The wanted driver, or by default the library, and the program where there is no library. Error: `kernel_unsupported`. */
export function openNftDriver(wanted: NftDriverName | null): NftDriver {
  if (wanted === 'nft') return openProgram();
  try {
    return openLibrary();
  } catch (error) {
    if (wanted === 'libnftables') {
      throw hatobaError('kernel_unsupported', { reason: 'libnftables.so.1 cannot be loaded' }, { cause: error });
    }
    return openProgram();
  }
}

/**
 * libnftables waits for its socket with select(), which aborts the process for a descriptor from here on
 * (nft 1.0.6 to 1.1.3, src/mnl.c; `man 2 select`, FD_SETSIZE).
 */
const SELECT_LIMIT = 1024;

/** libnftables.h */
function openLibrary(): NftDriver {
  const library = koffi.load('libnftables.so.1');
  const newContext = library.func('void *nft_ctx_new(uint32_t flags)');
  const freeContext = library.func('void nft_ctx_free(void *context)');
  const bufferErrors = library.func('int nft_ctx_buffer_error(void *context)');
  const bufferOutput = library.func('int nft_ctx_buffer_output(void *context)');
  const errors = library.func('const char *nft_ctx_get_error_buffer(void *context)');
  const runCommand = library.func('int nft_run_cmd_from_buffer(void *context, const char *commands)');
  return {
    name: 'libnftables',
    run(_fd, script) {
      if (lowestFreeDescriptor() >= SELECT_LIMIT) return 'the process has too many files open for libnftables';
      const context: unknown = newContext(0);
      if (context === null) return 'out of memory';
      try {
        bufferOutput(context);
        bufferErrors(context);
        return runCommand(context, script) === 0 ? undefined : firstLines(String(errors(context)));
      } finally {
        freeContext(context);
      }
    },
  };
}

function lowestFreeDescriptor(): number {
  const fd = openSync('/dev/null', 'r');
  closeSync(fd);
  return fd;
}

/** The thread waits for the program, and for nothing else meanwhile; `timeout` in ms. */
const OPTIONS = { encoding: 'utf8', timeout: 10_000, killSignal: 'SIGKILL' } as const;

/** The programs nsenter (util-linux) and nft: one process a call, for machines without the library, scripts up to 128 KiB. */
function openProgram(): NftDriver {
  const probe = spawnSync('nft', ['--version'], OPTIONS);
  if (probe.error !== undefined || probe.status !== 0) {
    throw hatobaError('kernel_unsupported', { reason: 'the program nft cannot be run' }, { cause: probe.error });
  }
  return {
    name: 'nft',
    run(fd, script) {
      const namespace = `--net=/proc/${process.pid}/fd/${fd}`;
      // Not on its standard input, a socket, which nft 1.0.9 refuses to read.
      const child = spawnSync('nsenter', [namespace, 'nft', '--', script], OPTIONS);
      if (child.error !== undefined) return child.error.message;
      return child.status === 0 ? undefined : firstLines(child.stderr);
    },
  };
}

/** nft repeats the offending line with marks below it; the line alone can be long. */
function firstLines(text: string): string {
  const lines = text.trim().split('\n').slice(0, 2);
  return lines.map((line) => line.trim().slice(0, 200)).join(' | ');
}
