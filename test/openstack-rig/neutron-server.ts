import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';

export interface NeutronServer extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** The file of SQLite that it keeps everything in. */
  readonly database: string;
  /** Ends the process; it can be asked no more. */
  kill(): Promise<void>;
}

export interface NeutronOptions {
  /** Default: `router,port_forwarding`. */
  readonly servicePlugins?: string;
  /**
   * `noauth`: everybody is an admin (Neutron's own); `tokens`: the token `alice:blue:member` is that of alice, a member
   * of project blue; `keystone`: as the section `keystone_authtoken` of `more` says. Default: `noauth`.
   */
  readonly auth?: 'noauth' | 'tokens' | 'keystone';
  /** Sections that the configuration has besides. */
  readonly more?: string;
}

const FILES = join(import.meta.dirname, 'neutron');

/** The one for which Debian's packages are, whatever other Python comes first on the path. */
const PYTHON = '/usr/bin/python3';

/** It takes five seconds on an idle machine, in milliseconds. */
const START = 180_000;
const STOP = 10_000;

/**
 * A real neutron-server in one process, with ML2 and no mechanism driver, on SQLite and a port of its own; nobody's
 * packets go anywhere. What it has is under one directory. Disposing ends it and leaves nothing.
 */
export async function startNeutron(options: NeutronOptions = {}): Promise<NeutronServer> {
  const directory = await mkdtemp(join(tmpdir(), 'hatoba-neutron-'));
  const [config, logFile, port] = [join(directory, 'neutron.conf'), join(directory, 'log'), await freePort()];
  await writeFile(config, configuration(directory, port, options));
  const log = await open(logFile, 'w');
  const database = join(directory, 'neutron.db');
  const child = spawn(PYTHON, [join(FILES, 'serve.py'), '--config-file', config, `sqlite:///${database}`], {
    cwd: directory,
    env: { PYTHONPATH: FILES, PYTHONDONTWRITEBYTECODE: '1', PATH: '/usr/bin:/bin' },
    stdio: ['ignore', log.fd, log.fd],
  });
  const ended = once(child, 'exit');
  await log.close();

  async function kill(): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(impatience);
  }

  async function dispose(): Promise<void> {
    await kill();
    await rm(directory, { recursive: true, force: true });
  }

  const url = `http://127.0.0.1:${port}`;
  try {
    await Promise.race([answers(url), ended.then(() => Promise.reject(new Error('neutron-server has ended')))]);
  } catch (error) {
    const said = await readFile(logFile, 'utf8');
    await dispose();
    throw new Error(`neutron-server does not start: ${said.slice(-2_000)}`, { cause: error });
  }
  return { url, database, kill, [Symbol.asyncDispose]: dispose };
}

/** The first request makes Neutron load its policies. */
async function answers(url: string): Promise<void> {
  await eventually(async () => {
    await (await fetch(`${url}/v2.0/networks`)).text();
  }, START);
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

function configuration(directory: string, port: number, options: NeutronOptions): string {
  const { servicePlugins = 'router,port_forwarding', auth = 'noauth', more = '' } = options;
  return `
[DEFAULT]
core_plugin = ml2
service_plugins = ${servicePlugins}
auth_strategy = ${auth}
bind_host = 127.0.0.1
bind_port = ${port}
api_workers = 0
rpc_workers = 0
rpc_state_report_workers = 0
transport_url = fake://
api_paste_config = ${join(FILES, 'api-paste.ini')}
state_path = ${directory}
notify_nova_on_port_status_changes = false
notify_nova_on_port_data_changes = false
dhcp_agent_notification = false
[ml2]
type_drivers = local,flat
tenant_network_types = local
mechanism_drivers =
extension_drivers = port_security
[ml2_type_flat]
flat_networks = public
[database]
connection = sqlite:///${join(directory, 'neutron.db')}
sqlite_synchronous = false
[oslo_concurrency]
lock_path = ${directory}
[oslo_policy]
policy_dirs = ${join(directory, 'policy.d')}
${more}
`;
}
