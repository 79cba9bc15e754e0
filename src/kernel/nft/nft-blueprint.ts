import { attributes, type Message } from '../netlink/netlink.ts';
import { createNetlinkWriter, type NetlinkWriter } from '../netlink/netlink-writer.ts';
import { CHAIN, ELEMENTS, HOOK, NFT_MSG, RULE, SET } from '../netlink/nf-tables.ts';
import { nftMessageType } from '../netlink/nfnetlink.ts';
import { fingerprintOf, type SetShape, shapeOf, type TableObjects } from './nft-table.ts';

/** How to make a table like one that nft has made, without nft. */
export interface Blueprint {
  readonly name: string;
  /** That of every table made by it. */
  readonly fingerprint: string;
  readonly sets: ReadonlyMap<string, SetShape>;
  /** What makes it, in this order, behind the table itself: message types, and attributes as they are sent. */
  readonly objects: readonly Message[];
}

/**
 * What the kernel is told to make a thing of each kind. Beside it, it tells handles, use counts and such, which are its
 * own to give.
 */
const OF_CHAIN = [CHAIN.table, CHAIN.name, CHAIN.policy, CHAIN.type, CHAIN.userdata];
const OF_RULE = [RULE.table, RULE.chain, RULE.expressions, RULE.userdata];
const OF_SET = [
  SET.table,
  SET.name,
  SET.flags,
  SET.keyType,
  SET.keyLength,
  SET.dataType,
  SET.dataLength,
  SET.description,
  SET.timeout,
  SET.userdata,
  SET.expression,
  SET.expressions,
];

/** Rules name chains and sets, so they come last. A set that is written in a rule has its elements before that. */
export function blueprintOf(name: string, objects: TableObjects): Blueprint {
  const { sets, chains, rules, constants } = objects;
  return {
    name,
    fingerprint: fingerprintOf(objects),
    sets: new Map(sets.map(shapeOf).map((shape) => [shape.name, shape])),
    objects: [
      ...chains.map((chain) =>
        message(NFT_MSG.newChain, (writer) => {
          copy(writer, chain, OF_CHAIN);
          copyHook(writer, chain.get(CHAIN.hook));
        }),
      ),
      ...sets.map((set, index) =>
        message(NFT_MSG.newSet, (writer) => {
          copy(writer, set, OF_SET);
          // Asked for by the kernel, for rules of the same transaction; ours go by name.
          writer.number(SET.id, index + 1);
        }),
      ),
      ...constants.map(({ set, elements }) =>
        message(NFT_MSG.newElements, (writer) => {
          writer.text(ELEMENTS.table, name);
          writer.text(ELEMENTS.set, set);
          writer.attribute(ELEMENTS.list, elements);
        }),
      ),
      ...rules.map((rule) => message(NFT_MSG.newRule, (writer) => copy(writer, rule, OF_RULE))),
    ],
  };
}

function message(type: number, write: (writer: NetlinkWriter) => void): Message {
  const writer = createNetlinkWriter();
  write(writer);
  return { type: nftMessageType(type), body: writer.finish() };
}

function copy(writer: NetlinkWriter, object: ReadonlyMap<number, Buffer>, types: readonly number[]): void {
  for (const type of types) {
    const value = object.get(type);
    if (value !== undefined) writer.attribute(type, value);
  }
}

/** A chain without a hook is one that others jump to. */
function copyHook(writer: NetlinkWriter, hook: Buffer | undefined): void {
  if (hook === undefined) return;
  writer.nest(CHAIN.hook, () => copy(writer, attributes(hook), [HOOK.number, HOOK.priority]));
}
