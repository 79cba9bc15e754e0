/** What goes over the wire, for programs that talk to the API; types only. */

export type { Problem } from '../problem.ts';
export type { AdoptResult } from './adopt-schemas.ts';
export type { ApplyItem, ApplyRequest, ApplyResult, Backup, PruneScope } from './apply-schemas.ts';
export type { CounterList, CountersDocument } from './counter-schemas.ts';
export type { DiagnosisDocument, FindingDocument } from './diagnosis-schemas.ts';
export type {
  ForwardCreate,
  ForwardDocument,
  ForwardListFilter,
  ForwardPage,
  ForwardPatch,
  ForwardRemoval,
} from './forward-schemas.ts';
export type { LiveTraceDocument } from './live-trace-documents.ts';
export type { RouterDocument, RouterList } from './router-schemas.ts';
export type { StatusDocument } from './status-schemas.ts';
export type { TraceDocument } from './trace-schemas.ts';
