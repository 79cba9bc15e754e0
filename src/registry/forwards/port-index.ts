import { conflict } from '../../model/conflicts.ts';
import { type ForwardSpec, GATEWAY } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import { createPortMap } from '../../model/port-map.ts';
import type { Gateways } from '../../model/router.ts';

interface Placed extends ForwardSpec {
  readonly id: ForwardId;
}

/** One router's forwards by protocol, external address and external port. */
export interface PortIndex<Item extends Placed> {
  add(item: Item): void;
  remove(item: Item): void;
  /**
   * One that conflicts with the spec, `except` apart. Its cost grows with the ports of the spec and with how many
   * forwards share them for different sources, not with how many there are.
   */
  conflictOf(spec: ForwardSpec, gateways: Gateways, except: ForwardId | null): Item | undefined;
  /** All that conflict with the spec, in no order; those with many ports perhaps several times. */
  conflictsOf(spec: ForwardSpec, gateways: Gateways): readonly Item[];
}

export function createPortIndex<Item extends Placed>(): PortIndex<Item> {
  const ports = createPortMap<Item>(({ externalPorts }) => externalPorts);
  const keyOf = (item: Item) => addressKey(item, externalText(item));

  function near(spec: ForwardSpec, gateways: Gateways): readonly Item[] {
    const keys = Array.from(meanings(spec, gateways), (text) => addressKey(spec, text));
    return keys.flatMap((key) => ports.near(key, spec.externalPorts));
  }

  return {
    add: (item) => ports.add(keyOf(item), item),
    remove: (item) => ports.remove(keyOf(item), item),

    conflictOf: (spec, gateways, except) =>
      near(spec, gateways).find((item) => item.id !== except && conflict(item, spec, gateways)),

    conflictsOf: (spec, gateways) => near(spec, gateways).filter((item) => conflict(item, spec, gateways)),
  };
}

function addressKey({ protocol }: ForwardSpec, external: string): string {
  return `${protocol} ${external}`;
}

function externalText({ externalAddress }: ForwardSpec): string {
  return externalAddress === GATEWAY ? GATEWAY : externalAddress.text;
}

/** All that stands for the same address: the gateway may be named outright, too. */
function meanings(spec: ForwardSpec, gateways: Gateways): Iterable<string> {
  const gateway = gateways[spec.internalAddress.family]?.text ?? GATEWAY;
  const text = externalText(spec);
  return text === GATEWAY || text === gateway ? new Set([GATEWAY, gateway]) : [text];
}
