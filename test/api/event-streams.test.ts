import { expect, test, vi } from 'vitest';
import { createEventStreams } from '../../src/api/event-streams.ts';

test('the lag is that of the stream that is furthest behind, and of the one that takes longest', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const streams = createEventStreams();
    const [stuck, slow, quick] = [streams.open(), streams.open(), streams.open()];
    expect(streams.lag(7)).toEqual({ streams: 3, revisions: 0, seconds: 0 });
    stuck.tells(6);
    vi.advanceTimersByTime(2_000);
    slow.tells(3);
    quick.tells(7);
    quick.waits();
    expect(streams.lag(7)).toEqual({ streams: 3, revisions: 5, seconds: 2 });
    stuck.close();
    expect(streams.lag(7)).toEqual({ streams: 2, revisions: 5, seconds: 0 });
    slow.waits();
    expect(streams.lag(7)).toEqual({ streams: 2, revisions: 0, seconds: 0 });
  } finally {
    vi.useRealTimers();
  }
});
