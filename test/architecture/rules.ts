import type { Import, SourceFile, Trait } from './source-file.ts';

interface Arrows {
  /** Rooms whose code it may use. */
  readonly uses?: readonly string[];
  /** Rooms it may load when it needs them. */
  readonly loads?: readonly string[];
}

/** Who may know whom; arrows run downward only. */
const ROOMS: Readonly<Record<string, Arrows>> = {
  model: {},
  program: { uses: ['model'] },
  interchange: { uses: ['model'] },
  store: { uses: ['model'] },
  kernel: { uses: ['model'] },
  lab: { uses: ['model'] },
  client: { uses: ['model'] },
  openstack: { uses: ['model'] },
  registry: { uses: ['store', 'model'] },
  dataplane: { uses: ['program', 'interchange', 'kernel', 'model'] },
  agent: { uses: ['registry', 'program', 'interchange', 'dataplane', 'model'] },
  api: { uses: ['registry', 'program', 'openstack', 'model'] },
  cli: { uses: ['model', 'interchange', 'client'], loads: ['daemon', 'lab'] },
  daemon: {
    uses: ['model', 'program', 'store', 'kernel', 'registry', 'dataplane', 'agent', 'api', 'openstack', 'lab'],
  },
};

/** Rooms without any package, Node's own included. */
const PURE = ['model', 'program', 'interchange', 'client'];

/** Packages that belong to certain rooms. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  koffi: ['kernel'],
  'node:child_process': ['kernel', 'lab'],
  'node:sqlite': ['store'],
  fastify: ['api', 'daemon'],
  '@stricli/core': ['cli'],
  'prom-client': ['api'],
};

/** Rooms where a trait is allowed; in all others, and where none is named, it is not. */
const TRAITS: Readonly<Record<Trait, readonly string[]>> = {
  'default export': [],
  'mutable module state': [],
  'work at import': [],
  'computed import': [],
  shell: [],
  'process.exit': ['cli', 'daemon'],
};

/** Entry points of the process and of its thread: the only files that do something by being loaded. */
const PROGRAMS = ['cli/main.ts', 'kernel/worker.ts'];

const LONGEST = 300;
/** A table of messages, and what is made from the API's description: nobody reads them from top to bottom. */
const TABLES = ['model/error-catalogue.ts', 'client/operations.ts'];

/** Everything in which the files break the rules of the house, one sentence each. */
export function violations(files: readonly SourceFile[]): readonly string[] {
  return [...files.flatMap(violationsIn), ...cycles(files)];
}

function violationsIn(file: SourceFile): readonly string[] {
  const { path, room, lines, traits } = file;
  const found: string[] = [];
  if (ROOMS[room] === undefined) found.push(`${path} is in no room`);
  if (lines > LONGEST && !TABLES.includes(path)) found.push(`${path} has ${lines} lines`);
  for (const trait of traits) {
    const isProgram = trait === 'work at import' && PROGRAMS.includes(path);
    if (!TRAITS[trait].includes(room) && !isProgram) found.push(`${path}: ${trait}`);
  }
  return [...found, ...file.imports.flatMap((one) => violationOf(file, one))];
}

function violationOf({ path, room }: SourceFile, { to, kind, isPackage }: Import): readonly string[] {
  const sentence = `${path} imports ${to} (${kind})`;
  if (isPackage) {
    const owners = PACKAGES[to];
    return PURE.includes(room) || owners?.includes(room) === false ? [sentence] : [];
  }
  const target = to.slice(0, to.indexOf('/'));
  const { uses = [], loads = [] } = ROOMS[room] ?? {};
  const allowed = target === room || uses.includes(target) || (kind === 'dynamic' && loads.includes(target));
  return allowed ? [] : [sentence];
}

/** Each circle of imports once, from its first file in order. */
function cycles(files: readonly SourceFile[]): readonly string[] {
  const arrows = new Map(files.map(({ path, imports }) => [path, imports.filter((one) => !one.isPackage)]));
  const found: string[] = [];
  const finished = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`cycle: ${[...trail.slice(start), path].join(' → ')}`);
    if (start >= 0 || finished.has(path)) return;
    for (const { to } of arrows.get(path) ?? []) visit(to, [...trail, path]);
    finished.add(path);
  };
  for (const path of arrows.keys()) visit(path, []);
  return found;
}
