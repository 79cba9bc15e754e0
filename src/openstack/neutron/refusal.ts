/** Neutron's answer, where it does not do what it is asked; whoever has asked us gets it as it is. */
export class NeutronRefusal extends Error {
  override readonly name = 'NeutronRefusal';
  readonly status: number;
  readonly contentType: string;
  readonly body: string;

  constructor(status: number, contentType: string, body: string) {
    super(`Neutron has answered ${status}: ${body.slice(0, 200)}`);
    this.status = status;
    this.contentType = contentType;
    this.body = body;
  }
}
