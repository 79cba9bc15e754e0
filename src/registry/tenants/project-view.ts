import type { Forward } from '../../model/forward.ts';
import type { ForwardId } from '../../model/ids.ts';
import type { ForwardIndex } from '../forwards/forward-index.ts';
import { type ForwardView, findForward } from '../forwards/forward-view.ts';

/** Whether the forward is there for who sees what is of this project; `null`: who has none, and sees nothing. */
export function isOf(project: string | null, { projectId }: Pick<Forward, 'projectId'>): boolean {
  return project !== null && projectId === project;
}

const NONE: ReadonlyMap<ForwardId, Forward> = new Map();

/** The forwards of one project, as if there were no others. */
export function projectView(index: ForwardIndex, project: string | null): ForwardView {
  function get(id: string): Forward | undefined {
    const forward = index.get(id);
    return forward !== undefined && isOf(project, forward) ? forward : undefined;
  }

  function named(name: string): readonly Forward[] {
    const forward = project === null ? undefined : index.namesake({ name, projectId: project });
    return forward === undefined ? [] : [forward];
  }

  const list = () => (project === null ? [] : index.projects.list(project));

  return {
    get,
    find: (reference) => findForward(reference, { get, named, all: list }),
    list,
    ofRouter: (router) => (project === null ? NONE : index.projects.ofRouter(project, router)),
  };
}
