import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { ADMIN, addressOf, buildCloud, make } from '../../test/openstack-rig/neutron-bench.ts';
import { startNeutron } from '../../test/openstack-rig/neutron-server.ts';
import type { PortForwardings } from './port-forwardings.ts';

/** A real Neutron on SQLite, that lets everybody do everything; with a floating IP, and a port behind its router. */
export async function openNeutron(): Promise<PortForwardings> {
  await using cleanup = new AsyncDisposableStack();
  const { url, database } = cleanup.use(await startNeutron({ auth: 'noauth' }));
  const { outside, network } = await buildCloud(url);
  const port = await make(url, ADMIN, 'ports', 'port', { network_id: network.id });
  const floating = await make(url, ADMIN, 'floatingips', 'floatingip', { floating_network_id: outside.id });
  const address = addressOf(port);
  const steps = cleanup.move();
  return {
    url,
    path: `/v2.0/floatingips/${floating.id}/port_forwardings`,
    portId: port.id,
    address,
    fill: async (first, last) => insertRows(database, { floatingIp: floating.id, port: port.id, address }, first, last),
    [Symbol.asyncDispose]: () => steps.disposeAsync(),
  };
}

interface Ends {
  readonly floatingIp: string;
  readonly port: string;
  readonly address: string;
}

/** The rows that Neutron 21 writes for a forward; asked for them, it would take half an hour for ten thousand. */
function insertRows(file: string, { floatingIp, port, address }: Ends, first: number, last: number): void {
  using database = new DatabaseSync(file, { timeout: 10_000 });
  const attributes = database.prepare(
    `INSERT INTO standardattributes (resource_type, description, revision_number, created_at, updated_at)
     VALUES ('port_forwardings', '', 0, datetime('now'), datetime('now'))`,
  );
  const forwarding = database.prepare(
    `INSERT INTO portforwardings (id, floatingip_id, internal_neutron_port_id, protocol, internal_ip_address,
       internal_port_start, internal_port_end, external_port_start, external_port_end, standard_attr_id)
     VALUES (?, ?, ?, 'tcp', ?, ?, ?, ?, ?, ?)`,
  );
  database.exec('BEGIN IMMEDIATE');
  for (let number = first; number <= last; number++) {
    const { lastInsertRowid } = attributes.run();
    forwarding.run(randomUUID(), floatingIp, port, address, number, number, number, number, lastInsertRowid);
  }
  database.exec('COMMIT');
}
