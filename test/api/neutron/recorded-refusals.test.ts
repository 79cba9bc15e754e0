import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADDRESS, type FilledBench, openFilled, wrap } from './filled-gateway.ts';
import { type Asking, fault, textAt } from './gateway-under-test.ts';

/** What a Neutron 21.0 was seen to refuse, in its words. Where it answered 500, a 400 is expected. */
let filled: FilledBench;

// Nothing that is refused changes anything, so one is enough.
beforeAll(async () => {
  filled = await openFilled();
});
afterAll(() => filled.bench[Symbol.asyncDispose]());

const collision = (side: string, there: string, here: string) =>
  fault(
    'BadRequest',
    `Bad port_forwarding request: There is a port collision with the ${side}_port_range. ` +
      `The following ranges collides: ${there} and ${here}.`,
  );
const input = (attribute: string, reason: string) =>
  fault('HTTPBadRequest', `Invalid input for ${attribute}. Reason: ${reason}.`);
const missing = (attribute: string) =>
  fault('HTTPBadRequest', `Failed to parse request. Required attribute '${attribute}' not specified`);

type Fields = Readonly<Record<string, unknown>>;

test.each<[string, Fields, unknown]>([
  [
    'an internal port that is published',
    { external_port: 2999, internal_port: 22 },
    collision('internal', '22:22', '22:22'),
  ],
  [
    'an external port in a range',
    { external_port: 3005, internal_port: 99 },
    collision('external', '3000:3009', '3005:3005'),
  ],
  [
    'ranges that overlap',
    { external_port_range: '3005:3014', internal_port_range: '5005:5014' },
    collision('external', '3000:3009', '3005:3014'),
  ],
  [
    'port 0',
    { external_port: 0, internal_port: 22 },
    input('external_port', "'0' is too small - must be at least '1'"),
  ],
  [
    'port -1',
    { external_port: -1, internal_port: 22 },
    input('external_port', "'-1' is too small - must be at least '1'"),
  ],
  [
    'port 0 inside',
    { external_port: 7001, internal_port: 0 },
    input('internal_port', "'0' is too small - must be at least '1'"),
  ],
  [
    'port 108343',
    { external_port: 108343, internal_port: 22 },
    input('external_port', "'108343' is too large - must be no larger than '65535'"),
  ],
  // Of a port that is not there, it is told afterwards.
  [
    'a port that is not there, at a port that is taken',
    { external_port: 2222, internal_port: 99, internal_port_id: '00000000-0000-4000-8000-00000000dead' },
    collision('external', '2222:2222', '2222:2222'),
  ],
  [
    'a port that is not there, for unequal ranges',
    {
      external_port_range: '1:5',
      internal_port_range: '1:4',
      internal_port_id: '00000000-0000-4000-8000-00000000dead',
    },
    fault(
      'BadRequest',
      'Bad port_forwarding request: Invalid ranges of internal and/or external ports. ' +
        'The relation between internal and external ports must be N-N or 1-N.',
    ),
  ],
  // Those of which Neutron makes an internal error.
  [
    'a port as a text',
    { external_port: '7003', internal_port: '7003' },
    input('external_port', "'7003' is not an integer"),
  ],
  ['half a port', { external_port: 7005.5, internal_port: 7005 }, input('external_port', "'7005.5' is not an integer")],
  ['a port that is null', { external_port: null, internal_port: 7006 }, missing('external_port')],
  ['no external port', { internal_port: 7021 }, missing('external_port')],
  ['no internal port', { external_port: 7022 }, missing('internal_port')],
  ['no ports', {}, missing('external_port')],
  [
    'a port id that is none',
    { external_port: 7008, internal_port: 7008, internal_port_id: 'xyz' },
    input('internal_port_id', "'xyz' is not a valid UUID"),
  ],
  [
    'TCP',
    { protocol: 'TCP', external_port: 7010, internal_port: 7010 },
    input('protocol', 'TCP is not in valid_values'),
  ],
  [
    'protocol null',
    { protocol: null, external_port: 7013, internal_port: 7013 },
    input('protocol', 'None is not in valid_values'),
  ],
  [
    'protocol 6',
    { protocol: 6, external_port: 7011, internal_port: 7011 },
    fault('InvalidInput', 'Invalid input for operation: Input value 6 must be string type.'),
  ],
  [
    'a protocol that is none',
    { protocol: 'foo', external_port: 7012, internal_port: 7012 },
    fault(
      'InvalidInput',
      "Invalid input for operation: IP protocol 'foo' is not supported. " +
        'Only protocol names and their integer representation (0 to 255) are supported.',
    ),
  ],
  // Neutron takes these, and its agent then fails with all rules of the router.
  [
    'icmp',
    { protocol: 'icmp', external_port: 7009, internal_port: 7009 },
    input('protocol', 'icmp is not in valid_values'),
  ],
  [
    'ipv6-icmp',
    { protocol: 'ipv6-icmp', external_port: 7009, internal_port: 7009 },
    input('protocol', 'ipv6-icmp is not in valid_values'),
  ],
  [
    'a range with a hyphen',
    { external_port_range: '3200-3209', internal_port_range: '80-89' },
    input('external_port_range', 'Invalid port: 3200-3209'),
  ],
  [
    'a range that ends before it begins',
    { external_port_range: '8109:8100', internal_port_range: '8109:8100' },
    input('external_port_range', 'First port in a port range must be lower than the second port'),
  ],
  [
    'a range from 0',
    { external_port_range: '0:10', internal_port_range: '0:10' },
    input('external_port_range', 'Invalid port: 0, the port must be in the range [1, 65535]'),
  ],
  [
    'a range of letters',
    { external_port_range: 'a:b', internal_port_range: 'a:b' },
    input('external_port_range', 'Invalid port: a'),
  ],
  [
    'a range of three',
    { external_port_range: '1:2:3', internal_port_range: '1' },
    input('external_port_range', 'Port range must be two integers separated by a colon'),
  ],
  [
    'unequal ranges',
    { external_port_range: '8200:8209', internal_port_range: '8200:8204' },
    fault(
      'BadRequest',
      'Bad port_forwarding request: Invalid ranges of internal and/or external ports. ' +
        'The relation between internal and external ports must be N-N or 1-N.',
    ),
  ],
  [
    'port and range at once',
    { external_port: 8200, internal_port: 8200, external_port_range: '8200:8200', internal_port_range: '8200:8200' },
    fault('BadRequest', 'Bad port_forwarding request: external_port and external_port_range cannot be given together.'),
  ],
  [
    'an id',
    { external_port: 7031, internal_port: 7031, id: '00000000-0000-0000-0000-00000000dead' },
    fault('HTTPBadRequest', "Attribute 'id' not allowed in POST"),
  ],
  [
    'an unknown attribute',
    { external_port: 7031, internal_port: 7031, colour: 'red' },
    fault('HTTPBadRequest', "Unrecognized attribute(s) 'colour'"),
  ],
  [
    'a description that is a number',
    { external_port: 7062, internal_port: 7062, description: 5 },
    input('description', "'5' is not a valid string"),
  ],
  [
    'no address at all',
    { external_port: 7040, internal_port: 7040, internal_ip_address: '10.0.0' },
    input('internal_ip_address', "'10.0.0' is not a valid IP address"),
  ],
])('%s is refused in Neutron’s words', async (_what, fields, expected) => {
  const { bench, base } = filled;
  const before = (await bench.ask('GET', bench.path())).body;
  const { status, body } = await bench.ask('POST', bench.path(), { body: wrap({ ...base, ...fields }) });
  expect([status, body]).toEqual([400, expected]);
  expect((await bench.ask('GET', bench.path())).body).toEqual(before);
});

test('an address that the port does not have is refused with those that it has', async () => {
  const { bench, base, port } = filled;
  const shown = await bench.ask('GET', `ports/${port}`);
  const subnet = textAt(shown.body, 'port', 'fixed_ips', 0, 'subnet_id');
  for (const internal_ip_address of ['10.0.250.250', 'fd00::1']) {
    const body = wrap({ ...base, external_port: 7040, internal_port: 7040, internal_ip_address });
    expect((await bench.ask('POST', bench.path(), { body })).body).toEqual(
      fault(
        'BadRequest',
        `Bad port_forwarding request: Requested internal IP address ${internal_ip_address} is not suitable for internal neutron ` +
          `port ${port}, as its fixed_ips are [{'subnet_id': '${subnet}', 'ip_address': '${ADDRESS}'}].`,
      ),
    );
  }
});

test.each<[string, string | object | undefined, string, string, Record<string, string>?]>([
  ['no body', undefined, 'HTTPBadRequest', 'Resource body required'],
  ['an empty body', '', 'HTTPBadRequest', 'Resource body required'],
  ['an empty object', {}, 'HTTPBadRequest', 'Resource body required'],
  ['another key', { portforwarding: {} }, 'HTTPBadRequest', "Unable to find 'port_forwarding' in request body"],
  ['an array', [1], 'HTTPBadRequest', 'Body contains invalid data'],
  ['an empty array', [], 'HTTPBadRequest', 'Resource body required'],
  ['no object inside', { port_forwarding: 5 }, 'HTTPBadRequest', "Object 'port_forwarding' contains invalid data"],
  [
    'nothing required',
    wrap({}),
    'HTTPBadRequest',
    "Failed to parse request. Required attribute 'internal_ip_address' not specified",
  ],
  ['no JSON', 'a=b', 'MalformedRequestBody', 'Malformed request body: Cannot understand JSON.'],
  [
    'a form',
    'a=b',
    'MalformedRequestBody',
    'Malformed request body: Cannot understand JSON.',
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  ['an empty list', { port_forwardings: [] }, 'HTTPBadRequest', 'Resources required'],
  ['many in no list', { port_forwardings: {} }, 'HTTPBadRequest', 'Resources required'],
])('%s is refused', async (_what, body, type, message, headers = { 'content-type': 'application/json' }) => {
  const { bench } = filled;
  const asking: Asking = body === undefined ? {} : { body, headers };
  const answer = await bench.ask('POST', bench.path(), asking);
  expect([answer.status, answer.body]).toEqual([400, fault(type, message)]);
});

test.each<[string, Fields, unknown]>([
  ['port 0', { external_port: 0 }, input('external_port', "'0' is too small - must be at least '1'")],
  ['an unknown attribute', { colour: 'red' }, fault('HTTPBadRequest', "Unrecognized attribute(s) 'colour'")],
  [
    'the id',
    { id: '00000000-0000-0000-0000-00000000dead' },
    fault('HTTPBadRequest', 'Cannot update read-only attribute id'),
  ],
  ['the project', { project_id: 'p' }, fault('HTTPBadRequest', 'Cannot update read-only attribute project_id')],
  ['a protocol without ports', { protocol: 'icmp' }, input('protocol', 'icmp is not in valid_values')],
  // Neutron looks for collisions only where a port is named.
  ['a protocol by which it collides', { protocol: 'udp', internal_port: 53 }, collision('internal', '53:53', '53:53')],
  [
    'the external port that another has',
    { protocol: 'udp', external_port: 5353 },
    fault(
      'BadRequest',
      'Bad port_forwarding request: Another port forwarding entry with the same attributes already exists, ' +
        "conflicting values are {'floating_ip_address': '192.168.1.100', 'external_port': 5353}.",
    ),
  ],
  ['an external port that is taken', { external_port: 3005 }, collision('external', '3000:3009', '3005:3005')],
  [
    'a range for one port',
    { internal_port_range: '22:23' },
    fault(
      'BadRequest',
      'Bad port_forwarding request: Invalid ranges of internal and/or external ports. ' +
        'The relation between internal and external ports must be N-N or 1-N.',
    ),
  ],
])('a change to %s is refused', async (_what, fields, expected) => {
  const { bench, ids } = filled;
  const before = (await bench.ask('GET', bench.path(ids.ssh))).body;
  const { status, body } = await bench.ask('PUT', bench.path(ids.ssh), { body: wrap(fields) });
  expect([status, body]).toEqual([400, expected]);
  expect((await bench.ask('GET', bench.path(ids.ssh))).body).toEqual(before);
});
