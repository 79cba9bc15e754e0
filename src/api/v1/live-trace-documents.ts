import type { Static } from 'typebox';
import type { KernelWay, Observation, PacketEnds } from '../../model/observation.ts';
import { disagreement, verdictOn } from '../../program/agreement.ts';
import type { Path } from '../../program/explain.ts';
import type { LiveSchema } from './live-trace-schemas.ts';

export type LiveTraceDocument = Static<typeof LiveSchema>;
type CaughtDocument = NonNullable<LiveTraceDocument['packet']>;

/** What the kernel did, and whether that is what the explanation, with this path, says. */
export function printObservation(observation: Observation, path: Path | null): CaughtDocument {
  const target = path?.target ?? null;
  const difference = disagreement(target, observation.way);
  const { gotThrough, text } = verdictOn(target, observation);
  return {
    instance: observation.instance,
    way: printWay(observation.way),
    known_flow: observation.knownFlow,
    reply: observation.reply && printWay(observation.reply),
    as_compiled: difference === null,
    difference,
    got_through: gotThrough,
    verdict: text,
    legacy_tables: observation.legacyTables,
  };
}

function printWay({ arrived, left, ...rest }: KernelWay): CaughtDocument['way'] {
  return { ...rest, arrived: printEnds(arrived), left: left && printEnds(left) };
}

function printEnds({ source, sourcePort, destination, destinationPort }: PacketEnds): CaughtDocument['way']['arrived'] {
  return { source, source_port: sourcePort, destination, destination_port: destinationPort };
}
