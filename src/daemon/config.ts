import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { MOST_OF_ONE_ADDRESS } from '../api/listen/limits.ts';
import { hatobaError } from '../model/errors.ts';
import { DEFAULT_AUTO_PORTS } from '../model/forward-draft.ts';
import { printPortRange } from '../model/port-range.ts';
import { readConfigFile } from './config-file.ts';
import type { Config, ConfigFile } from './config-schema.ts';
import { type ConfigValidator, compileConfigValidator } from './config-validator.ts';

export const CONFIG_FILE = '/etc/hatoba/hatoba.yaml';

/** What the command line says, over everything else. */
export interface Flags {
  readonly config?: string;
  readonly store?: string;
  readonly socket?: string;
  readonly listen?: string;
  /** With commas. */
  readonly roles?: string;
  readonly node?: string;
}

/**
 * Defaults, then the file, then conf.d/*.yaml beside it in alphabetical order, then the environment, then flags;
 * a later one replaces whole keys. Error: `config_malformed`.
 */
export function loadConfig(flags: Flags, environment: NodeJS.ProcessEnv): Config {
  const validate = compileConfigValidator();
  const files = configFiles(flags.config ?? environment['HATOBA_CONFIG']);
  const layers = [
    ...files.map((file) => readConfigFile(file, validate)),
    parseLayer(validate, 'the environment', {
      store: environment['HATOBA_STORE'],
      socket: environment['HATOBA_SOCKET'],
      listen: environment['HATOBA_LISTEN'],
      node: environment['HATOBA_NODE'],
      log_level: environment['HATOBA_LOG_LEVEL'],
    }),
    parseLayer(validate, 'the command line', {
      store: flags.store,
      socket: flags.socket,
      listen: flags.listen,
      node: flags.node,
      roles: flags.roles?.split(','),
    }),
  ];
  return Object.freeze({ ...defaults(), ...Object.assign({}, ...layers) });
}

function defaults(): Config {
  return {
    node: hostname(),
    store: 'sqlite:/var/lib/hatoba/hatoba.db',
    socket: '/run/hatoba/hatoba.sock',
    listen: null,
    authentication: 'none',
    keystone: null,
    tls: null,
    rate_limit: { requests_per_second: 100, burst: 200 },
    connections_per_address: MOST_OF_ONE_ADDRESS,
    roles: ['api', 'agent'],
    log_level: 'info',
    backend: 'nftables',
    nft_driver: 'auto',
    namespace_directory: '/run/netns',
    accounting: false,
    neutron: true,
    routers: [],
    host: null,
    auto_ports: printPortRange(DEFAULT_AUTO_PORTS),
    projects: [],
    forward_metrics: 1_000,
  };
}

/** The default file may be missing, one that was named may not. */
function configFiles(named: string | undefined): readonly string[] {
  const file = named ?? CONFIG_FILE;
  const directory = join(file, '..', 'conf.d');
  const more = existsSync(directory) ? readdirSync(directory).filter((name) => name.endsWith('.yaml')) : [];
  const first = named !== undefined || existsSync(file) ? [file] : [];
  return [...first, ...more.sort().map((name) => join(directory, name))];
}

function parseLayer(validate: ConfigValidator, name: string, values: Readonly<Record<string, unknown>>): ConfigFile {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  const layer: unknown = Object.fromEntries(given);
  if (validate(layer)) return layer;
  const wrong = given.find(([key, value]) => !validate({ [key]: value }));
  const [key, value] = wrong ?? ['', ''];
  throw hatobaError('config_malformed', { file: name, reason: `${key} cannot be ${String(value)}` });
}
