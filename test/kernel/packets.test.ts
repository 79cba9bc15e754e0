import { existsSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Address, parseAddress } from '../../src/model/address.ts';
import { PROTOCOL_NUMBERS, type Protocol } from '../../src/model/protocol.ts';
import { type Program, type Rule, rulesOverlap } from '../../src/program/rule.ts';
import { trace } from '../../src/program/trace.ts';
import { programOf, programs, ruleOf } from '../program/programs.ts';
import { runIn } from '../support/command.ts';
import { CLIENT, createNetwork, GATEWAY, INSTANCE, INSTANCE_TOO, type Network, ROUTED } from '../support/network.ts';
import { type Ends, readPacket, type SeenPacket, segment } from '../support/packets.ts';
import { openPeer } from '../support/peer.ts';
import { type Capture, openCapture, openRawSender } from '../support/raw-sockets.ts';
import { DRIVERS, IPTABLES, type Started, startLinux, startLinuxAt } from './linux-under-test.ts';

const FAMILIES = [4, 6] as const;
/** Whose ports this kernel translates, as far as connection tracking accepts the packets. */
const TRANSLATED = ['tcp', 'udp', 'sctp', 'udplite'] as const;

let network: Network;
let linux: Started;
let arriving: Capture;
let returning: Capture;
let lastPort = 1024;

beforeAll(async () => {
  network = await createNetwork();
  linux = await startLinux(network.namespaces.prefix);
  arriving = openCapture(network.instance, 'eth0');
  returning = openCapture(network.client, 'eth0');
});

afterAll(async () => {
  arriving?.[Symbol.dispose]();
  returning?.[Symbol.dispose]();
  await linux?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
});

beforeEach(() => setChecksumVerification(false));

/**
 * Connection tracking verifies UDP-Lite checksums as if they were UDP's (udplite_error of nf_conntrack_proto_udp.c),
 * and takes every packet for invalid, unless it is told to verify nothing.
 */
async function setChecksumVerification(on: boolean): Promise<void> {
  await runIn(network.router, 'sysctl', ['--quiet', '--write', `net.netfilter.nf_conntrack_checksum=${Number(on)}`]);
}

async function load(program: Program, by = linux): Promise<void> {
  await by.dataplane.synchronise(network.router, program);
}

/** A source port that no connection is tracked for. */
function freshPort(): number {
  lastPort = lastPort === 65_535 ? 1024 : lastPort + 1;
  return lastPort;
}

function sendFromClient(protocol: Protocol, destination: string, destinationPort: number, sourcePort: number): void {
  const source = CLIENT[destination.includes(':') ? 6 : 4];
  using sender = openRawSender(network.client, source, PROTOCOL_NUMBERS[protocol]);
  sender.send(destination, segment(protocol, 'opening', { source, sourcePort, destination, destinationPort }));
}

/** The answer to what the instance saw, from the address that it was sent to. */
function sendAnswer(protocol: Protocol, seen: Ends): void {
  using sender = openRawSender(network.instance, seen.destination, PROTOCOL_NUMBERS[protocol]);
  const ends = {
    source: seen.destination,
    sourcePort: seen.destinationPort,
    destination: seen.source,
    destinationPort: seen.sourcePort,
  };
  sender.send(seen.source, segment(protocol, 'answer', ends));
}

function seenAtInstance(protocol: Protocol, sourcePort: number): SeenPacket | undefined {
  return arriving.next((data) => {
    const packet = readPacket(data);
    return packet?.protocol === PROTOCOL_NUMBERS[protocol] && packet.sourcePort === sourcePort ? packet : undefined;
  });
}

/** The packet as it left the client. */
function leaving(protocol: Protocol, sourcePort: number): SeenPacket | undefined {
  return returning.next((data) => {
    const packet = readPacket(data);
    return packet?.protocol === PROTOCOL_NUMBERS[protocol] && packet.sourcePort === sourcePort ? packet : undefined;
  });
}

/** The first packet that the client is sent by this protocol. */
function seenAtClient(protocol: Protocol): SeenPacket | undefined {
  return returning.next((data) => {
    const packet = readPacket(data);
    const isOurs = packet?.protocol === PROTOCOL_NUMBERS[protocol];
    return isOurs && (packet.destination === CLIENT[4] || packet.destination === CLIENT[6]) ? packet : undefined;
  });
}

/** What is compared with the tracer: our table, as either driver of nft compiles it, and both iptables. */
const COMPARED = [...DRIVERS, ...IPTABLES] as const;

function start(by: (typeof COMPARED)[number]): Promise<Started> {
  const { prefix } = network.namespaces;
  return by === 'libnftables' || by === 'nft' ? startLinux(prefix, { driver: by }) : startLinuxAt(prefix, by);
}

describe.each(COMPARED)('random packets through random programs, by %s', (by) => {
  const protocols = TRANSLATED.filter((protocol) => !by.startsWith('iptables') || protocol !== 'udplite');
  const both = (texts: { readonly 4: string; readonly 6: string }): readonly Address[] =>
    [texts[4], texts[6]].map(parseAddress);
  const universe = {
    protocols,
    external: [...both(GATEWAY), ...both(ROUTED)],
    externalPorts: [1, 5001, 5002, 65535, '1-65535', '5000-5001', '65000-65535'],
    internal: [...both(INSTANCE), ...both(INSTANCE_TOO)],
    internalPorts: [1, 22, 5001, 65535],
    sources: [CLIENT[4], CLIENT[6], '198.51.100.0/24', '192.0.2.0/24', '2001:db8:100::/64', '2001:db8:7::/48'],
  };
  const packet = fc.record({
    protocol: fc.constantFrom(...universe.protocols),
    destination: fc.constantFrom(...universe.external),
    port: fc.constantFrom(1, 5000, 5001, 5002, 65000, 65535),
  });
  /** Sent last: when it has arrived, the others have, or never will. */
  const last = FAMILIES.map((family) => ruleOf(999 + family, 'udp', [GATEWAY[family], 999], [INSTANCE[family], 999]));

  test('go where the tracer says', async () => {
    await using placed = await start(by);
    // What was compiled otherwise may be there, and be taken for good.
    await placed.dataplane.clean(network.router);
    const translated = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        programs(universe),
        fc.array(packet, { minLength: 8, maxLength: 24 }),
        async (program, packets) => {
          await load(withLast(program), placed);
          const expected = new Map<number, string>();
          for (const { protocol, destination, port } of packets) {
            const sourcePort = freshPort();
            const source = parseAddress(CLIENT[destination.family]);
            const traced = trace(withLast(program), { protocol, source, destination, port });
            if (traced.rule !== null) expected.set(sourcePort, arrival(traced.rule, traced.port));
            if (traced.rule !== null) translated.add(`${protocol} ${destination.family}`);
            sendFromClient(protocol, destination.text, port, sourcePort);
          }
          expect(arrivedUntilLast()).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
    expect(translated.size).toBe(protocols.length * FAMILIES.length);
    await placed.dataplane.clean(network.router);
  });

  /** In place of what would take its packets. */
  function withLast(program: Program): Program {
    const others = [...program.values()].filter((rule) => !last.some((one) => rulesOverlap(one, rule)));
    return programOf([...others, ...last]);
  }

  function arrival({ protocol, internal }: Rule, port: number): string {
    return `${PROTOCOL_NUMBERS[protocol]} ${CLIENT[internal.family]} → ${internal.text} ${port} intact`;
  }

  function arrivedUntilLast(): ReadonlyMap<number, string> {
    const arrived = new Map<number, string>();
    for (const family of FAMILIES) {
      const sourcePort = freshPort();
      sendFromClient('udp', GATEWAY[family], 999, sourcePort);
      const found = arriving.next((data) => {
        const seen = readPacket(data);
        if (seen === undefined || (seen.source !== CLIENT[4] && seen.source !== CLIENT[6])) return undefined;
        if (seen.sourcePort === sourcePort) return seen;
        const state = seen.intact ? 'intact' : 'damaged';
        arrived.set(
          seen.sourcePort,
          `${seen.protocol} ${seen.source} → ${seen.destination} ${seen.destinationPort} ${state}`,
        );
        return undefined;
      });
      expect(found?.destinationPort).toBe(999);
    }
    return arrived;
  }
});

describe.each(FAMILIES)('by IPv%i', (family) => {
  const external = [GATEWAY[family], 5001] as const;
  const internal = [INSTANCE[family], 22] as const;

  test.each(TRANSLATED)(
    '%s: the target sees the client itself, the client sees the outside address',
    async (protocol) => {
      await load(programOf([ruleOf(1, protocol, external, internal)]));
      const sourcePort = freshPort();
      returning.clear();
      sendFromClient(protocol, ...external, sourcePort);
      const seen = seenAtInstance(protocol, sourcePort);
      const toInstance = { destination: INSTANCE[family], destinationPort: 22 };
      expect(seen).toMatchObject({ source: CLIENT[family], sourcePort, ...toInstance, intact: true });
      if (seen !== undefined) sendAnswer(protocol, seen);
      const toClient = { destination: CLIENT[family], destinationPort: sourcePort };
      expect(seenAtClient(protocol)).toMatchObject({ source: GATEWAY[family], sourcePort: 5001, ...toClient });
    },
  );

  test('real TCP connections and UDP flows', async () => {
    await using client = await openPeer(network.client);
    await using instance = await openPeer(network.instance);
    await instance.serveTcp(22);
    await instance.serveUdp(22, INSTANCE[family]);
    const rules = (['tcp', 'udp'] as const).map((protocol, index) => ruleOf(index, protocol, external, internal));
    await load(programOf(rules));
    expect(await client.connect(...external)).toMatch(new RegExp(`^${CLIENT[family]} \\d+$`));
    expect(await client.ask(...external, { localPort: 40_000 })).toBe(`${CLIENT[family]} 40000`);
    const { id } = await client.open(...external);
    expect(await client.echo(id, 'a'.repeat(100))).toBe('a'.repeat(100));
    await expect(client.connect(GATEWAY[family], 5002)).rejects.toThrow('ECONNREFUSED');
  });

  test('UDP-Lite is not translated while connection tracking verifies checksums', async () => {
    await setChecksumVerification(true);
    await load(programOf([ruleOf(1, 'udplite', external, internal)]));
    const sourcePort = freshPort();
    sendFromClient('udplite', ...external, sourcePort);
    expect(seenAtInstance('udplite', sourcePort)).toBeUndefined();
  });

  test('DCCP: the address is translated, the port only by kernels that track it', async () => {
    await load(programOf([ruleOf(1, 'dccp', external, internal)]));
    await runIn(network.router, 'conntrack', ['-D', '-p', 'dccp', '-f', `ipv${family}`]).catch(
      () => 'none was tracked',
    );
    const sourcePort = freshPort();
    returning.clear();
    sendFromClient('dccp', ...external, sourcePort);
    expect(leaving('dccp', sourcePort)).toMatchObject({ destinationPort: 5001, intact: true });
    const tracked = existsSync('/proc/sys/net/netfilter/nf_conntrack_dccp_timeout_request');
    const { port, intact } = tracked ? { port: 22, intact: true } : { port: 5001, intact: false };
    const expected = { source: CLIENT[family], destination: INSTANCE[family], destinationPort: port, intact };
    expect(seenAtInstance('dccp', sourcePort)).toMatchObject(expected);
  });
});

test('one program for both families and every protocol at one port keeps them apart', async () => {
  const rules = FAMILIES.flatMap((family) =>
    TRANSLATED.map((protocol, index) =>
      ruleOf(family * 10 + index, protocol, [GATEWAY[family], 5001], [INSTANCE[family], 100 + index]),
    ),
  );
  await load(programOf(rules));
  for (const rule of rules) {
    const sourcePort = freshPort();
    sendFromClient(rule.protocol, rule.external.text, 5001, sourcePort);
    const seen = seenAtInstance(rule.protocol, sourcePort);
    expect(seen?.destinationPort).toBe(rule.internalPorts.first);
  }
});
