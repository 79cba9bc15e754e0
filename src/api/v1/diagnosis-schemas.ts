import Type, { type Static } from 'typebox';
import { FINDING_LEVELS, type FindingLevel } from '../../model/finding-catalogue.ts';
import { closed, named, TextOrNull } from './schemas.ts';

const Count = Type.Integer({ minimum: 0 });

const FindingSchema = Type.Object(
  {
    level: Type.Unsafe<FindingLevel>({ type: 'string', enum: FINDING_LEVELS }),
    code: Type.String({ description: 'stable; docs/findings.md lists them' }),
    router: TextOrNull,
    instance: TextOrNull,
    forward: TextOrNull,
    seen: Type.String(),
    advice: TextOrNull,
  },
  named('Finding'),
);
export type FindingDocument = Static<typeof FindingSchema>;

export const DiagnosisSchema = Type.Object(
  {
    node: Type.String(),
    routers: Type.Integer({ minimum: 0, description: 'how many were looked at' }),
    forwards: Type.Integer({ minimum: 0, description: 'how many they have' }),
    problems: Count,
    warnings: Count,
    findings: Type.Immutable(Type.Array(FindingSchema)),
  },
  named('Diagnosis'),
);
export type DiagnosisDocument = Static<typeof DiagnosisSchema>;

export const DiagnosisQuery = Type.Object(
  {
    router: Type.Optional(Type.String({ description: 'only this one: id, namespace or beginning of an id' })),
  },
  closed,
);
