/** What a caller may do: a member all that a reader may, an admin all that a member may. */
export const ROLES = ['reader', 'member', 'admin'] as const;

export type Role = (typeof ROLES)[number];

/** Who asks, and with which rights. Frozen; made by whoever has checked it. */
export interface Caller {
  /** For people and the audit log: `socket`, `token ci`, `keystone alice@Default`. */
  readonly name: string;
  /** What tells them from others; left out: the name does. */
  readonly id?: string;
  readonly role: Role;
  /** The project to which what it makes belongs, where it names none; `null`: to none. */
  readonly project: string | null;
  /** Whether it sees and may change what is of any project or none; otherwise, only what is of its own. */
  readonly allProjects: boolean;
}

/** Equal for requests of the same caller, who is another one in each project. */
export function callerKey({ name, id = name, project }: Caller): string {
  return JSON.stringify([id, project]);
}

/** Whether the caller may do what needs this role. */
export function hasRole({ role }: Caller, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
