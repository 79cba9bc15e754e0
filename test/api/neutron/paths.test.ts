import { expect, test } from 'vitest';
import { behindPrefix, originForm, routedUrl } from '../../../src/api/neutron/paths.ts';

test.each([
  ['/v2.0', '/v2.0'],
  ['/v2.0/', '/v2.0/'],
  ['/v2.0/ports', '/v2.0/ports'],
  ['/v2.0/ports.json?name=a.json/', '/v2.0/ports?name=a.json/'],
  ['/v2.0/ports/?a?b', '/v2.0/ports?a?b'],
  ['/v2.0//ports/x.json/', '/v2.0/ports/x'],
  ['/v2.0/ports/x.json.json', '/v2.0/ports/x.json'],
  ['/', '/'],
  ['//?a=//', '/?a=//'],
  ['//v2.0', '/v2.0'],
  ['/v2.0//', '/v2.0/'],
  ['//v2.0/networks', '/v2.0/networks'],
  ['///v2.0///networks//?a//b', '/v2.0/networks?a//b'],
  ['/v2.0/networks.JSON', '/v2.0/networks'],
  ['/v2.0/networks/.json', '/v2.0/networks/.json'],
  ['/v2.0/networks.xml', '/v2.0/networks.xml'],
  ['/%762%2e0/r%6futers/x', '/v2.0/routers/x'],
  ['/v2.0%2Frouters%2fx', '/v2.0/routers/x'],
  ['/v2.0/networks%3Fa?b', '/v2.0/networks%3Fa?b'],
  ['/v2.0/ports/a%20b', '/v2.0/ports/a%20b'],
  ['/v2.0/ports/%zz', '/v2.0/ports/%zz'],
  ['/v2.0/../v2.0/networks', '/v2.0/../v2.0/networks'],
  ['/v2.0/qos/routers/x', '/v2.0/routers/x'],
  ['/v2.0/qos//ports/x.json', '/v2.0/ports/x'],
  ['/v2.0/qos/policies/x', '/v2.0/qos/policies/x'],
  ['/v2.0/networks/routers/x', '/v2.0/networks/routers/x'],
  ['/V2.0/networks', '/V2.0/networks'],
  ['//healthcheck/', '/healthcheck'],
  ['//v1/forwards', '//v1/forwards'],
  ['/v2.01/ports.json', '/v2.01/ports.json'],
  ['/v1/forwards/', '/v1/forwards/'],
  ['/openapi.json', '/openapi.json'],
])('%s is routed as %s', (url, routed) => {
  expect(routedUrl(url)).toBe(routed);
});

test.each([
  ['/v2.0/ports', '', '/v2.0/ports'],
  ['/', '', '/'],
  ['/networking/v2.0/ports?a', '/networking', '/v2.0/ports?a'],
  ['/networking', '/networking', '/'],
  ['/networking?a', '/networking', '/?a'],
  ['/networkings', '/networking', '/networkings'],
  ['/v2.0/networking', '/networking', '/v2.0/networking'],
])('%s behind "%s" is %s', (url, prefix, rest) => {
  expect(behindPrefix(url, prefix)).toBe(rest);
});

test.each([
  ['/v2.0/ports?a=http://x/y', '/v2.0/ports?a=http://x/y'],
  ['http://cloud.example:9696/v2.0/ports?a#b', '/v2.0/ports?a#b'],
  ['HTTPS://cloud.example', '/'],
  ['http://cloud.example?a', '/?a'],
  ['*', '/*'],
])('%s is for %s', (target, path) => {
  expect(originForm(target)).toBe(path);
});
