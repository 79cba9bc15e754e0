import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { printTime } from '../../../src/model/time.ts';
import { type Bench, openBench, publish, report, wish } from '../api-under-test.ts';

const inSeconds = (seconds: number): string => printTime(Date.now() + seconds * 1000);

function send(bench: Bench, method: 'POST' | 'PATCH', path: string, payload: object) {
  return bench.api.inject({ method, url: `/v1/forwards${path}?wait=0`, payload });
}

async function until(time: string): Promise<void> {
  while (printTime(Date.now()) < time) await sleep(10);
}

describe('expires_at', () => {
  test('is given in UTC, whatever it was written in, and null where there is none', async () => {
    await using bench = await openBench();
    const created = await send(bench, 'POST', '', wish({ name: 'web', expires_at: '2999-01-01T09:00:00+09:00' }));
    expect(created.json().expires_at).toBe('2999-01-01T00:00:00.000Z');
    const changed = await send(bench, 'PATCH', '/web', { expires_at: '2999-01-02T00:00:00Z' });
    expect(changed.json().expires_at).toBe('2999-01-02T00:00:00.000Z');
    expect((await send(bench, 'PATCH', '/web', { expires_at: null })).json().expires_at).toBeNull();
  });

  test.for([
    [{ expires_at: '2h' }, 'time_malformed', 'expires_at'],
    [{ expires_at: '2026-01-01T00:00:00Z' }, 'expiry_past', 'expires_at'],
    [{ expires_at: 5 }, 'request_malformed', 'expires_at'],
    [{ expires_in: 0 }, 'request_malformed', 'expires_in'],
    [{ expires_in: 1.5 }, 'request_malformed', 'expires_in'],
    [{ expires_in: '60' }, 'request_malformed', 'expires_in'],
    [{ expires_in: null }, 'request_malformed', 'expires_in'],
    [{ expires_in: 3_155_760_001 }, 'request_malformed', 'expires_in'],
    [{ expires_in: 60, expires_at: '2999-01-01T00:00:00Z' }, 'request_malformed', 'expires_in'],
    [{ expires_in: 60, expires_at: null }, 'request_malformed', 'expires_in'],
  ] as const)('refuses %j: %s', async ([differences, code, field]) => {
    await using bench = await openBench();
    const created = await send(bench, 'POST', '', wish(differences));
    expect(created.json()).toMatchObject({ status: 400, code, field });
    await send(bench, 'POST', '', wish({ name: 'web' }));
    const changed = await send(bench, 'PATCH', '/web', differences);
    expect(changed.json()).toMatchObject({ status: 400, code, field });
    expect(bench.registry.forwards.list()).toMatchObject([{ name: 'web', expiresAt: null }]);
  });
});

describe('expires_in', () => {
  test('is counted from now on, by the clock of the daemon', async () => {
    await using bench = await openBench();
    const [earliest, created, latest] = [
      inSeconds(3600),
      await send(bench, 'POST', '', wish({ name: 'web', expires_in: 3600 })),
      inSeconds(3600),
    ];
    expect(created.statusCode).toBe(201);
    expect(created.json()).not.toHaveProperty('expires_in');
    expect(created.json().expires_at >= earliest && created.json().expires_at <= latest).toBe(true);
    const changed = await send(bench, 'PATCH', '/web', { expires_in: 3_155_760_000 });
    expect(changed.json().expires_at > '2100').toBe(true);
  });
});

describe('a forward whose time has come', () => {
  test('is expired once a node has taken it out, and not before', async () => {
    await using bench = await openBench();
    const expires_at = inSeconds(1.5);
    const { revision, id } = (await send(bench, 'POST', '', wish({ name: 'web', expires_at }))).json();
    const state = async () => (await bench.api.inject('/v1/forwards/web')).json().status.state;
    const before = printTime(Date.parse(expires_at) - 1);
    await publish(bench.registry, report(revision, { at: before }));
    await until(expires_at);
    expect(await state()).toBe('active');
    await publish(bench.registry, report(revision, { at: expires_at }));
    expect(await state()).toBe('expired');
    const listed = await bench.api.inject('/v1/forwards?state=expired');
    expect(listed.json().forwards).toMatchObject([{ id, expires_at, status: { state: 'expired' } }]);
  });

  test('keeps its port, can be changed, and is back when it is renewed', async () => {
    await using bench = await openBench();
    const expires_at = inSeconds(1.5);
    await send(bench, 'POST', '', wish({ name: 'web', expires_at }));
    await until(expires_at);
    expect((await send(bench, 'POST', '', wish())).json()).toMatchObject({ code: 'forward_conflict' });
    const renamed = (await send(bench, 'PATCH', '/web', { name: 'www', expires_at })).json();
    expect(renamed).toMatchObject({ name: 'www', expires_at, status: { state: 'expired' } });
    expect((await send(bench, 'PATCH', '/www', { expires_in: 60 })).json().status.state).toBe('waiting');
  });
});
