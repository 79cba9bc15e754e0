import type { Caller } from '../../model/caller.ts';
import type { Grants } from '../../model/grants.ts';
import type { Registry } from '../registry.ts';

/** The registry as the caller has it: all of it for one of all projects, else what is of its own. See `Registry.within`. */
export function scopeRegistry(registry: Registry, { allProjects, project }: Caller, grants: Grants): Registry {
  return allProjects ? registry : registry.within({ project, grants });
}
