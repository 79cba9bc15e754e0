import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { createObservations } from '../../src/api/metrics/observations.ts';
import { spec } from '../registry/specs.ts';
import { openBench, ROUTER } from './api-under-test.ts';

/** Every name of ours, without what a histogram adds to it. */
function namesIn(text: string): ReadonlySet<string> {
  const names = text.match(/\b(?:hatoba|process)_[a-z_]+/g) ?? [];
  return new Set(names.map((name) => name.replace(/_(?:bucket|count|sum)$/, '')));
}

async function tell(): Promise<ReadonlySet<string>> {
  const observations = createObservations();
  await using bench = await openBench({ observations, forwardMetrics: 10 });
  await bench.registry.forwards.create(spec({ router: ROUTER }));
  return namesIn((await bench.api.inject('/metrics')).body);
}

test.each(['monitoring/alerts.yaml', 'monitoring/grafana-dashboard.json'])(
  '%s asks for what there is',
  async (file) => {
    const asked = namesIn(readFileSync(`docs/${file}`, 'utf8'));
    expect(asked.size).toBeGreaterThan(3);
    expect([...asked.difference(await tell())]).toEqual([]);
  },
);

test('every rule has an expression and says what is wrong', () => {
  const { groups } = parse(readFileSync('docs/monitoring/alerts.yaml', 'utf8'));
  for (const rule of groups[0].rules) {
    expect(rule).toMatchObject({ alert: expect.any(String), expr: expect.any(String), for: expect.any(String) });
    expect(rule.annotations.summary).toEqual(expect.any(String));
  }
});

test('the dashboard is JSON with a query in each panel', () => {
  const { panels } = JSON.parse(readFileSync('docs/monitoring/grafana-dashboard.json', 'utf8'));
  for (const panel of panels) expect(panel.targets[0].expr).toEqual(expect.any(String));
  expect(new Set(panels.map((panel: { id: number }) => panel.id)).size).toBe(panels.length);
});

test('the page about operations names what there is', async () => {
  const [, section = ''] = readFileSync('docs/operations.md', 'utf8').split('\n## Metrics\n');
  const named = namesIn(section.split('\n## ')[0] ?? '');
  const told = await tell();
  const ours = new Set([...told].filter((name) => name.startsWith('hatoba_')));
  expect([...named].filter((name) => name.startsWith('hatoba_') && !told.has(name))).toEqual([]);
  expect([...ours].filter((name) => !named.has(name) && name !== 'hatoba_connection_tracking_limit')).toEqual([]);
});
