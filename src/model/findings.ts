import { fill, type ParameterNames } from './errors.ts';
import { FINDINGS, type FindingCode, type FindingLevel } from './finding-catalogue.ts';
import type { ForwardId } from './ids.ts';
import type { RouterId } from './router.ts';

/** What a finding is about; `null`: not about one in particular. */
export interface Subject {
  readonly router: RouterId | null;
  readonly instance: string | null;
  readonly forward: ForwardId | null;
}

/** Something that was looked at, and how it was found. */
export interface Finding extends Subject {
  readonly level: FindingLevel;
  readonly code: FindingCode;
  readonly seen: string;
  /** What to do about it; `null`: nothing. */
  readonly advice: string | null;
}

/** What a code's texts quote. */
export type FindingParameters<Code extends FindingCode> = Record<
  ParameterNames<(typeof FINDINGS)[Code]['seen'] | (typeof FINDINGS)[Code]['advice']>,
  string | number
>;

/** Rules of a firewall can be long, and are no use cut in the middle; a command may need nothing before it. */
const QUOTING = { longest: 500, empty: '' };

/** Makes the finding `code`, its texts filled in. */
export function finding<Code extends FindingCode>(
  subject: Subject,
  code: Code,
  parameters: FindingParameters<Code>,
): Finding {
  const { level, seen, advice } = FINDINGS[code];
  return Object.freeze({
    ...subject,
    level,
    code,
    seen: fill(seen, parameters, QUOTING),
    advice: advice === '' ? null : fill(advice, parameters, QUOTING),
  });
}
