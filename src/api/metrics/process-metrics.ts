import { Counter, Gauge, type Registry as PrometheusRegistry } from 'prom-client';

/**
 * The process itself, under the names that Prometheus' clients share. Their own collection of Node's values has timers,
 * which would wake an idle daemon. Gives what brings it up to date.
 */
export function createProcessMetrics(registers: PrometheusRegistry[]): () => Promise<void> {
  const cpu = new Counter({ registers, name: 'process_cpu_seconds_total', help: 'Processor time, user and system' });
  const memory = new Gauge({ registers, name: 'process_resident_memory_bytes', help: 'Resident memory' });
  const started = new Gauge({ registers, name: 'process_start_time_seconds', help: 'When it began, since 1970' });
  started.set((Date.now() - process.uptime() * 1000) / 1000);
  return async () => {
    const { user, system } = process.cpuUsage();
    cpu.reset();
    cpu.inc((user + system) / 1_000_000);
    memory.set(process.memoryUsage.rss());
  };
}
