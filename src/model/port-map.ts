import { type PortRange, portCount } from './port-range.ts';

/** Who takes up which ports, apart for each place: a protocol at an address, say. */
export interface PortMap<Item extends object> {
  add(place: string, item: Item): void;
  remove(place: string, item: Item): void;
  /**
   * All that have one of these ports there, and perhaps others; those with many ports perhaps several times. The cost
   * grows with the ports asked for and with how many share them, not with how many there are.
   */
  near(place: string, ports: PortRange): readonly Item[];
}

/** `portsOf`: which ports one takes up. */
export function createPortMap<Item extends object>(portsOf: (item: Item) => PortRange): PortMap<Item> {
  const places = new Map<string, Ports<Item>>();
  return {
    add(place, item) {
      const ports = places.get(place) ?? createPorts(portsOf);
      places.set(place, ports);
      ports.add(item);
    },

    remove(place, item) {
      const ports = places.get(place);
      ports?.remove(item);
      if (ports?.isEmpty() === true) places.delete(place);
    },

    near: (place, ports) => places.get(place)?.near(ports) ?? [],
  };
}

/** Things by ports alone. */
interface Ports<Item> {
  add(item: Item): void;
  remove(item: Item): void;
  isEmpty(): boolean;
  /** All that have one of these ports, and perhaps others. */
  near(ports: PortRange): readonly Item[];
}

/** Ranges are found by blocks of so many ports. */
const BLOCK = 256;

function createPorts<Item extends object>(portsOf: (item: Item) => PortRange): Ports<Item> {
  const single = createShelves<Item>();
  const wide = createShelves<Item>();

  return {
    add(item) {
      const ports = portsOf(item);
      if (portCount(ports) === 1) single.add(ports.first, item);
      else for (const block of blocksOf(ports)) wide.add(block, item);
    },

    remove(item) {
      const ports = portsOf(item);
      if (portCount(ports) === 1) single.remove(ports.first, item);
      else for (const block of blocksOf(ports)) wide.remove(block, item);
    },

    isEmpty: () => single.size() + wide.size() === 0,

    near(ports) {
      const found = single.between(ports.first, ports.last);
      return found.concat(wide.between(Math.floor(ports.first / BLOCK), Math.floor(ports.last / BLOCK)));
    },
  };
}

function* blocksOf({ first, last }: PortRange): Iterable<number> {
  for (let block = Math.floor(first / BLOCK); block <= Math.floor(last / BLOCK); block++) yield block;
}

/** Things by number, mostly one of each. */
interface Shelves<Item> {
  add(number: number, item: Item): void;
  remove(number: number, item: Item): void;
  size(): number;
  between(first: number, last: number): readonly Item[];
}

function createShelves<Item extends object>(): Shelves<Item> {
  // A set of its own only for those that share a number, such as one port for different sources.
  const shelves = new Map<number, Item | Set<Item>>();

  return {
    size: () => shelves.size,

    add(number, item) {
      const there = shelves.get(number);
      if (there instanceof Set) there.add(item);
      else shelves.set(number, there === undefined ? item : new Set([there, item]));
    },

    remove(number, item) {
      const there = shelves.get(number);
      if (there instanceof Set) there.delete(item);
      if (there === item || (there instanceof Set && there.size === 0)) shelves.delete(number);
    },

    between(first, last) {
      const found: Item[] = [];
      const take = (there: Item | Set<Item> | undefined): void => {
        if (there instanceof Set) for (const item of there) found.push(item);
        else if (there !== undefined) found.push(there);
      };
      if (last - first < shelves.size) {
        for (let number = first; number <= last; number++) take(shelves.get(number));
      } else {
        for (const [number, there] of shelves) if (number >= first && number <= last) take(there);
      }
      return found;
    },
  };
}
