import type { ForwardState } from '../../model/status.ts';
import type { Colour } from './table.ts';

/** All states there are: the type demands a colour of each. */
export const STATE_COLOURS: Readonly<Record<ForwardState, Colour>> = Object.freeze({
  active: 'green',
  pending: 'yellow',
  waiting: 'yellow',
  disabled: 'grey',
  expired: 'grey',
  error: 'red',
});

export function isState(value: unknown): value is ForwardState {
  return typeof value === 'string' && Object.hasOwn(STATE_COLOURS, value);
}

export const STATES: readonly ForwardState[] = Object.freeze(Object.keys(STATE_COLOURS).filter(isState));
