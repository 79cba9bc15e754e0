import { openHatoba } from './support/hatoba-beside.ts';
import { type LoadOutcome, type LoadRequest, runLoad } from './support/load.ts';
import { openNeutron } from './support/neutron-beside.ts';
import { type PortForwardings, wishOf } from './support/port-forwardings.ts';
import { type Benchmark, milliseconds, type Row } from './support/report.ts';
import { median, quantile } from './support/statistics.ts';

/** How many times as fast as Neutron hatoba is to be. */
const TARGET = 20;

const [SHORT, LONG] = [1_000, 10_000];
const CROWD = { creating: 48, listing: 16 } as const;
const CALLERS = CROWD.creating + CROWD.listing;
/** What is loaded at the first request of its kind is nobody's rate. */
const WARM_UP = 5;

/** How much is asked of one of the two: enough for a figure, and of Neutron no more than takes two minutes. */
interface Sizes {
  readonly firstCreates: number;
  readonly creates: number;
  readonly lists: number;
  readonly longLists: number;
  /** The crowd ends after so many creates, or so many seconds. */
  readonly crowd: { readonly creates: number; readonly seconds: number };
}

const CROWD_SIZE = { creates: 3_000, seconds: 40 } as const;
const NEUTRON: Sizes = { firstCreates: 50, creates: 20, lists: 10, longLists: 3, crowd: CROWD_SIZE };
const HATOBA: Sizes = { firstCreates: 500, creates: 500, lists: 100, longLists: 20, crowd: CROWD_SIZE };

/** The same requests to Neutron's API as hatoba and as a real Neutron has it: creates, lists, and a crowd that does both. */
export const benchmarkNeutron: Benchmark = async (tell) => {
  const neutron = await figuresOf(openNeutron, NEUTRON, (line) => tell(`Neutron: ${line}`));
  const hatoba = await figuresOf(openHatoba, HATOBA, (line) => tell(`hatoba: ${line}`));
  return rowsOf(hatoba, neutron);
};

interface Figures {
  /** One caller's, beside few forwards and beside many. */
  readonly firstCreates: LoadOutcome;
  readonly creates: LoadOutcome;
  readonly lists: LoadOutcome;
  readonly longLists: LoadOutcome;
  /** Of both kinds at once. */
  readonly crowdCreates: LoadOutcome;
  readonly crowdLists: LoadOutcome;
}

async function figuresOf(
  open: () => Promise<PortForwardings>,
  sizes: Sizes,
  tell: (line: string) => void,
): Promise<Figures> {
  await using forwardings = await open();
  const { create, list, fillTo } = clientOf(forwardings);
  await create(1, upTo(WARM_UP));
  const firstCreates = complete(sizes.firstCreates, await create(1, upTo(sizes.firstCreates)));
  await fillTo(SHORT);
  const lists = complete(sizes.lists, await list(1, '', upTo(sizes.lists)));
  tell(`${SHORT} are listed in ${milliseconds(median(lists.times))}`);
  const creates = complete(sizes.creates, await create(1, upTo(sizes.creates)));
  tell(`${rateOf(creates).toFixed(1)} creates a second`);
  const [crowdCreates, crowdLists] = await runCrowd(sizes.crowd, create, list);
  tell(
    `answers to ${CALLERS} callers: ${printStatuses(crowdCreates)} to creates, ${printStatuses(crowdLists)} to lists`,
  );
  await fillTo(LONG);
  const longLists = complete(sizes.longLists, await list(1, '', upTo(sizes.longLists)));
  tell(`${LONG} are listed in ${milliseconds(median(longLists.times))}`);
  return { firstCreates, creates, lists, longLists, crowdCreates, crowdLists };
}

/** Whether there are to be no more requests after so many. */
type IsOver = (asked: number) => boolean;

interface Client {
  readonly create: (callers: number, isOver: IsOver) => Promise<LoadOutcome>;
  readonly list: (callers: number, query: string, isOver: IsOver) => Promise<LoadOutcome>;
  /** Throws unless just so many are listed then. */
  readonly fillTo: (count: number) => Promise<void>;
}

function clientOf(forwardings: PortForwardings): Client {
  const { url: baseUrl, path } = forwardings;
  let last = 0;

  const load = (callers: number, isOver: IsOver, requestOf: () => LoadRequest) =>
    runLoad({ baseUrl, callers, next: (asked) => (isOver(asked) ? null : requestOf()) });

  return {
    create: (callers, isOver) =>
      load(callers, isOver, () => ({
        method: 'POST',
        path,
        body: { port_forwarding: wishOf(forwardings, ++last) },
      })),
    list: (callers, query, isOver) => load(callers, isOver, () => ({ method: 'GET', path: `${path}${query}` })),
    async fillTo(count) {
      const first = last + 1;
      last += count - (await countOf(forwardings));
      await forwardings.fill(first, last);
      const there = await countOf(forwardings);
      if (there !== count) throw new Error(`${there} forwards are listed where there are ${count}`);
    },
  };
}

async function countOf({ url, path }: PortForwardings): Promise<number> {
  const list = await (await fetch(`${url}${path}`)).text();
  return list.split('"internal_port_id":').length - 1;
}

function upTo(count: number): IsOver {
  return (asked) => asked >= count;
}

/** Some create and some list a thousand, until either time or numbers are up. */
function runCrowd(
  { creates, seconds }: Sizes['crowd'],
  create: Client['create'],
  list: Client['list'],
): Promise<readonly [creates: LoadOutcome, lists: LoadOutcome]> {
  const end = performance.now() + seconds * 1_000;
  let isOver = false;
  return Promise.all([
    create(CROWD.creating, (asked) => {
      isOver ||= asked >= creates || performance.now() > end;
      return isOver;
    }),
    list(CROWD.listing, `?limit=${SHORT}`, () => isOver || performance.now() > end),
  ]);
}

/** Throws where not all were answered as they should be. */
function complete(count: number, outcome: LoadOutcome): LoadOutcome {
  if (outcome.times.length !== count) throw new Error(`answers to ${count} requests: ${printStatuses(outcome)}`);
  return outcome;
}

function printStatuses({ statuses }: LoadOutcome): string {
  return Array.from(statuses, ([status, count]) => `${count} x ${status}`).join(', ');
}

function rateOf({ times, seconds }: LoadOutcome): number {
  return times.length / seconds;
}

function rowsOf(hatoba: Figures, neutron: Figures): readonly Row[] {
  const rate = (what: string, part: (figures: Figures) => number) => rateRow(what, part(hatoba), part(neutron));
  const time = (what: string, part: (figures: Figures) => number) => timeRow(what, part(hatoba), part(neutron));
  const crowd = `${CALLERS} callers, ${CROWD.creating} create and ${CROWD.listing} list ${SHORT}`;
  return [
    rate('creates, one caller, few forwards there', ({ firstCreates }) => rateOf(firstCreates)),
    rate(`creates, one caller, ${SHORT} forwards there`, ({ creates }) => rateOf(creates)),
    time(`list of ${SHORT}, median`, ({ lists }) => median(lists.times)),
    time(`list of ${LONG}, median`, ({ longLists }) => median(longLists.times)),
    rate(`${crowd}: creates`, ({ crowdCreates }) => rateOf(crowdCreates)),
    rate(`${crowd}: lists`, ({ crowdLists }) => rateOf(crowdLists)),
    time('create among them, median', ({ crowdCreates }) => median(crowdCreates.times)),
    time('create among them, 99th percentile', ({ crowdCreates }) => quantile(crowdCreates.times, 0.99)),
    time('list among them, median', ({ crowdLists }) => median(crowdLists.times)),
    time('list among them, 99th percentile', ({ crowdLists }) => quantile(crowdLists.times, 0.99)),
  ];
}

function rateRow(what: string, hatoba: number, neutron: number): Row {
  return speedRow(what, `${hatoba.toFixed(0)} a second`, `${neutron.toFixed(2)} a second`, hatoba / neutron);
}

function timeRow(what: string, hatoba: number, neutron: number): Row {
  return speedRow(what, milliseconds(hatoba), milliseconds(neutron), neutron / hatoba);
}

/** `ratio`: how many times as fast as Neutron. */
function speedRow(what: string, measured: string, neutron: string, ratio: number): Row {
  return {
    what,
    measured,
    against: `Neutron: ${neutron} (ratio ${ratio.toFixed(1)})`,
    target: `at least ${TARGET} times as fast`,
    met: ratio >= TARGET,
  };
}
