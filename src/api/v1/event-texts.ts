import type { RouterId } from '../../model/router.ts';
import type { Registry, RegistryChange } from '../../registry/registry.ts';
import { printEvents } from './event-documents.ts';

/** The events of changes as texts, each made once for all streams that come to it at about the same time. */
export interface EventTexts {
  /**
   * The events of a part of a change, without what ends the last one; empty where there are none. `view`: equal for
   * callers that see the same; `router`: only events about it, `null`: all.
   */
  of(change: RegistryChange, registry: Registry, view: string, router: RouterId | null): Buffer;
}

interface Cached {
  readonly text: Buffer;
  /** What the values were read at: of the registry and, as expiry depends on it, by the clock, in seconds. */
  readonly moment: string;
}

/** Bytes of texts that are kept. */
const KEPT = 4 * 1024 * 1024;

export function createEventTexts(): EventTexts {
  // A Map keeps the order in which keys were put.
  const cache = new Map<string, Cached>();
  let size = 0;

  function drop(key: string): void {
    size -= cache.get(key)?.text.length ?? 0;
    cache.delete(key);
  }

  return {
    of(change, registry, view, router) {
      const key = JSON.stringify([change.revision, change.part, router, view]);
      const moment = `${registry.forwards.revision()} ${Math.floor(Date.now() / 1000)}`;
      const known = cache.get(key);
      if (known?.moment === moment) return known.text;
      const text = Buffer.from(printText(ofRouter(change, router), registry));
      drop(key);
      cache.set(key, { text, moment });
      size += text.length;
      for (const oldest of cache.keys()) {
        if (size <= KEPT) break;
        drop(oldest);
      }
      return text;
    },
  };
}

function printText(change: RegistryChange, registry: Registry): string {
  return Array.from(
    printEvents(change, registry),
    ({ event, data }) => `event: ${event}\ndata: ${JSON.stringify(data)}\n`,
  ).join('\n');
}

function ofRouter(change: RegistryChange, router: RouterId | null): RegistryChange {
  if (router === null) return change;
  const { forwards, statuses, routers, nodes } = change;
  return {
    ...change,
    forwards: forwards.filter((changed) => changed.router === router),
    statuses: statuses.filter((changed) => changed.router === router),
    routers: routers.filter((id) => id === router),
    nodes: nodes.filter((node) => node.routers.includes(router)),
  };
}
