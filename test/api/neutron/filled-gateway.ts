import { expect } from 'vitest';
import { type GatewayBench, openGatewayBench, textAt } from './gateway-under-test.ts';

export const ADDRESS = '10.0.1.142';
export const SECOND = '10.0.2.25';

/** As Neutron shows single ports. */
export const LIKE_NEUTRON = { neutron: { singlePortRanges: true } };

export interface FilledBench {
  readonly bench: GatewayBench;
  /** What a port forwarding needs besides its ports. */
  readonly base: Readonly<Record<string, unknown>>;
  readonly port: string;
  readonly ids: Readonly<Record<'ssh' | 'dns' | 'shifted' | 'gathered', string>>;
}

/** A gateway with one port, one by UDP, a range that is shifted, and one that leads to one port. */
export async function openFilled(): Promise<FilledBench> {
  const bench = await openGatewayBench(LIKE_NEUTRON);
  const port = await bench.portOf(ADDRESS);
  const base = { protocol: 'tcp', internal_ip_address: ADDRESS, internal_port_id: port };
  const make = async (fields: object) => {
    const { status, body } = await bench.ask('POST', bench.path(), { body: wrap({ ...base, ...fields }) });
    expect([status, body]).toEqual([201, expect.anything()]);
    return textAt(body, 'port_forwarding', 'id');
  };
  const ids = {
    ssh: await make({ external_port: 2222, internal_port: 22 }),
    dns: await make({ protocol: 'udp', external_port: 5353, internal_port: 53, description: 'dns' }),
    shifted: await make({ external_port_range: '3000:3009', internal_port_range: '4000:4009' }),
    gathered: await make({ external_port_range: '3100:3109', internal_port_range: '80:80' }),
  };
  return { bench, base, port, ids };
}

export function wrap(port_forwarding: object): object {
  return { port_forwarding };
}
