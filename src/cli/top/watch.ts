import { reasonOf } from '../../model/errors.ts';
import type { Screen } from '../context.ts';
import { compareLooks, type Look, type Observer } from './look.ts';
import { drawTop, HEADING, KEYS, type TopView } from './view.ts';

/** What a timer knows. */
const LONGEST_WAIT = 2 ** 31 - 1;
const LOOKED = 'looked';

/** Until the person wants to leave. The keyboard is answered while the daemon is asked. */
export async function watchTop(
  screen: Screen,
  observer: Observer,
  first: Look,
  { interval, sort }: Pick<TopView, 'interval' | 'sort'>,
): Promise<void> {
  let before = first;
  let view: TopView = { ...compareLooks(first, first), sort, interval, reversed: false, trouble: 'counting …' };
  let due = performance.now() + interval * 1000;
  let isLooking = false;

  async function look(): Promise<void> {
    isLooking = true;
    due = performance.now() + interval * 1000;
    try {
      const after = await observer.look();
      view = { ...view, ...compareLooks(before, after), trouble: null };
      before = after;
    } catch (error) {
      view = { ...view, trouble: `${reasonOf(error)}; asking again every ${interval} s` };
    }
    isLooking = false;
    screen.tell(LOOKED);
  }

  for (;;) {
    screen.draw(drawTop(view, screen.size()), HEADING);
    const event = await screen.next(isLooking ? LONGEST_WAIT : Math.max(0, due - performance.now()));
    if (event === 'end' || event === 'q') return;
    if (event === null) void look();
    else view = withKey(view, event);
  }
}

function withKey(view: TopView, key: string): TopView {
  if (key === 'r') return { ...view, reversed: !view.reversed };
  const sort = KEYS[key];
  return sort === undefined ? view : { ...view, sort, reversed: false };
}
