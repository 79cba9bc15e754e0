type Fields = ReadonlyMap<string, unknown>;

/** The fields of an object, or of a body that is one as JSON; none of anything else, which Neutron refuses. */
export function readObject(value: unknown): Fields {
  const object = Buffer.isBuffer(value) ? parse(value.toString()) : value;
  return new Map(typeof object === 'object' && object !== null ? Object.entries(object) : []);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
