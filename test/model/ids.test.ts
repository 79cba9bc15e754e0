import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUuid, isUuidPrefix, parseDescription, parseName, parseText } from '../../src/model/ids.ts';
import { isProtocol, parseProtocol } from '../../src/model/protocol.ts';
import { isNamespaceName, parseRouterId, routerOfNamespace } from '../../src/model/router.ts';
import { PROTOCOLS } from './arbitraries.ts';
import { refusal } from './refusal.ts';

const UUID = '0b2f6e7c-1d3a-4c5b-8e9f-aabbccddeeff';

describe('ids', () => {
  test('a UUID is one in lower case only', () => {
    fc.assert(fc.property(fc.uuid(), (uuid) => isUuid(uuid)));
    expect(isUuid(UUID.toUpperCase())).toBe(false);
    expect(isUuid(`${UUID}\n`)).toBe(false);
  });

  test('a text is a prefix exactly if some UUID begins with it', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 36 }), (uuid, length) => isUuidPrefix(uuid.slice(0, length))),
    );
    for (const text of ['', '-', 'g', '12345678-1-', '12345678--', '123456789', `${UUID}0`, 'ABCD']) {
      expect(isUuidPrefix(text), text).toBe(false);
    }
  });
});

describe('names and texts', () => {
  test.each(['a', 'web', 'Web-1.example_x', `a${'b'.repeat(62)}`])('%s is a name', (name) => {
    expect(parseName(name)).toBe(name);
  });

  test.each([
    '',
    '1web',
    '-web',
    '.web',
    '_web',
    'we b',
    'we/b',
    'we\nb',
    'web\n',
    'wéb',
    `a${'b'.repeat(63)}`,
    'abcdef12-1d3a-4c5b-8e9f-aabbccddeeff',
    'ABCDEF12-1d3a-4c5b-8e9f-aabbccddeeff',
    '__proto__',
  ])('%j is no name', (name) => {
    const error = refusal(() => parseName(name));
    expect(error.code).toBe('name_malformed');
    expect(error.hint).toContain('63');
  });

  test('texts hold up to 255 characters without control characters', () => {
    expect(parseText('')).toBe('');
    expect(parseText('波止場 – 😀')).toBe('波止場 – 😀');
    expect(parseText('x'.repeat(255))).toHaveLength(255);
    for (const text of [
      'x'.repeat(256),
      'a\u0000b',
      'a\nb',
      'a\u001b[31mb',
      'a\u007fb',
      'a\u0085b',
      'a\ud800',
      '\udc00b',
    ]) {
      expect(refusal(() => parseText(text)).code).toBe('text_malformed');
    }
  });

  test('descriptions hold up to 1024', () => {
    expect(parseDescription('x'.repeat(1024))).toHaveLength(1024);
    for (const text of ['x'.repeat(1025), 'a\nb', 'a\ud83d']) {
      expect(refusal(() => parseDescription(text)).code).toBe('description_malformed');
    }
  });
});

describe('protocols', () => {
  test.each(PROTOCOLS)('%s has ports', (protocol) => {
    expect(parseProtocol(protocol)).toBe(protocol);
  });

  test.each(['', 'TCP', 'icmp', 'tcp ', '6', 'toString', '__proto__', 'constructor'])('%j is refused', (text) => {
    expect(isProtocol(text)).toBe(false);
    const error = refusal(() => parseProtocol(text));
    expect(error.code).toBe('protocol_unknown');
    expect(error.hint).toContain(PROTOCOLS.join(', '));
  });
});

describe('routers', () => {
  test.each([
    [UUID, UUID],
    [UUID.toUpperCase(), UUID],
    [`qrouter-${UUID}`, UUID],
    [`snat-${UUID}`, UUID],
    ['qrouter-x', 'qrouter-x'],
    ['host', 'host'],
    ['edge-1.example@home+2:3', 'edge-1.example@home+2:3'],
  ])('%s is the router %s', (text, router) => {
    expect(parseRouterId(text)).toBe(router);
  });

  test.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    'a b',
    '-rf',
    '.hidden',
    "a'b",
    'a"b',
    'a`b',
    'a$b',
    'a;b',
    'a\nb',
    'a\u0000b',
    'é',
    'a'.repeat(256),
  ])('%j is refused', (text) => {
    expect(isNamespaceName(text)).toBe(false);
    expect(refusal(() => parseRouterId(text)).code).toBe('router_malformed');
  });

  test('a router id read once reads the same again, as do the namespaces of Neutron', () => {
    const name = fc.stringMatching(/^\w[\w.+@:-]{0,60}$/);
    fc.assert(
      fc.property(fc.oneof(name, fc.uuid()), (text) => parseRouterId(parseRouterId(text)) === parseRouterId(text)),
    );
    fc.assert(fc.property(fc.uuid(), (uuid) => routerOfNamespace(`qrouter-${uuid}`) === parseRouterId(`snat-${uuid}`)));
  });
});
