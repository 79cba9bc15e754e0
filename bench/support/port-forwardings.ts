/** Port forwardings at one floating IP, behind whichever server speaks Neutron's API. */
export interface PortForwardings extends AsyncDisposable {
  /** Of the server, without a slash at the end. */
  readonly url: string;
  /** Where they are listed and made. */
  readonly path: string;
  /** Whom they lead to. */
  readonly portId: string;
  readonly address: string;
  /** Makes those with these numbers some quick way. */
  readonly fill: (first: number, last: number) => Promise<void>;
}

/** The one with this number, as the same words for each server: no two have a port in common, outside or inside. */
export function wishOf({ portId, address }: PortForwardings, number: number): object {
  return {
    protocol: 'tcp',
    external_port: number,
    internal_port_id: portId,
    internal_ip_address: address,
    internal_port: number,
  };
}
