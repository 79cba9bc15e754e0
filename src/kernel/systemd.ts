import koffi from 'koffi';
import { hatobaError } from '../model/errors.ts';

/** Tells the service manager how the daemon is (`man 3 sd_notify`); nothing happens where none is listening. */
export type Notify = (state: 'READY=1' | 'STOPPING=1' | 'WATCHDOG=1') => void;

/** `environment`: that of the process; Node itself has no sockets of the kind that systemd listens on. */
export function openNotify(environment: NodeJS.ProcessEnv): Notify {
  if (environment['NOTIFY_SOCKET'] === undefined) return () => undefined;
  const library = koffi.load('libsystemd.so.0');
  const notify = library.func('int sd_notify(int unsetEnvironment, const char *state)');
  return (state) => {
    const result = Number(notify(0, state));
    if (result < 0) throw hatobaError('command_failed', { command: `sd_notify ${state}`, reason: `errno ${-result}` });
  };
}

/** How often the service manager wants to hear from the daemon, in milliseconds; `undefined`: never. */
export function watchdogInterval(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const microseconds = Number(environment['WATCHDOG_USEC'] ?? Number.NaN);
  const meant = environment['WATCHDOG_PID'] ?? String(pid);
  return Number.isFinite(microseconds) && microseconds > 0 && meant === String(pid) ? microseconds / 1000 : undefined;
}
