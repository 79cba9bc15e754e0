import type { Forward, ForwardSpec } from '../../model/forward.ts';

/** Forwards by name, which no two of one project share; those of no project are among themselves, too. */
export interface NameIndex {
  add(forward: Forward): void;
  remove(forward: Forward): void;
  namesake(spec: Named): Forward | undefined;
  /** Of all projects. */
  everywhere(name: string): readonly Forward[];
}

/** A name, if any, in its project, if it is of one. */
export type Named = Pick<ForwardSpec, 'name' | 'projectId'>;

export function createNameIndex(): NameIndex {
  const projects = new Map<string | null, Map<string, Forward>>();
  return {
    add(forward) {
      if (forward.name === null) return;
      const names = projects.get(forward.projectId) ?? new Map<string, Forward>();
      projects.set(forward.projectId, names.set(forward.name, forward));
    },

    remove({ id, name, projectId }) {
      const names = projects.get(projectId);
      // Within one commit a name can pass from one forward to another.
      if (name === null || names?.get(name)?.id !== id) return;
      names.delete(name);
      if (names.size === 0) projects.delete(projectId);
    },

    namesake: ({ name, projectId }) => (name === null ? undefined : projects.get(projectId)?.get(name)),

    everywhere: (name) => Array.from(projects.values(), (names) => names.get(name)).filter((one) => one !== undefined),
  };
}
