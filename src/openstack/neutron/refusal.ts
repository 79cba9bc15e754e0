import type { IncomingHttpHeaders } from 'node:http';

/** Headers that a client needs to act on a refusal (RFC 9110 §10.2.3 and §11.6.1), and by which operators find it in Neutron's log. */
const KEPT = ['www-authenticate', 'retry-after', 'x-openstack-request-id'] as const;

/** Neutron's answer, where it does not do what it is asked; whoever has asked us gets it as it is. */
export class NeutronRefusal extends Error {
  override readonly name = 'NeutronRefusal';
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** To be sent along with the body. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, headers: IncomingHttpHeaders, body: string) {
    super(`Neutron has answered ${status}: ${body.slice(0, 200)}`);
    this.status = status;
    this.contentType = headers['content-type'] ?? 'application/json';
    this.headers = Object.fromEntries(
      KEPT.flatMap((name) => [headers[name] ?? []].flat().map((value) => [name, value])),
    );
    this.body = body;
  }
}
