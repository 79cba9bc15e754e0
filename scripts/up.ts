/** `make up`: a daemon, the practice network, a first forward, a first connection through it. */
import { setTimeout as sleep } from 'node:timers/promises';
import Type from 'typebox';
import Value from 'typebox/value';
import { knock } from '../src/lab/knock.ts';
import { createLab } from '../src/lab/lab.ts';
import {
  CLIENT_ADDRESSES,
  CLIENT_NAMESPACE,
  GATEWAY_ADDRESSES,
  INSTANCE_ADDRESSES,
  INSTANCE_PORT,
  ROUTER_ID,
  ROUTER_NAMESPACE,
} from '../src/lab/topology.ts';
import { hatobaError } from '../src/model/errors.ts';
import { hatoba, present, report } from './practice.ts';
import { LOG, startDaemon } from './practice-daemon.ts';

const NAME = 'example';
const OUTSIDE_PORT = 5001;
const TARGET = `${INSTANCE_ADDRESSES[4]}:${INSTANCE_PORT}`;
const OUTSIDE = `${GATEWAY_ADDRESSES[4]}:${OUTSIDE_PORT}`;

/** How often a connection is tried: a forward stored earlier becomes active a moment after its router is back. */
const ATTEMPTS = 20;
const PAUSE = 100;

const NEXT = `
The daemon runs on, and writes to ${LOG}. Try next:

  bin/hatoba forward list
  ip netns exec ${CLIENT_NAMESPACE} bash -c 'head -1 </dev/tcp/${GATEWAY_ADDRESSES[4]}/${OUTSIDE_PORT}'
  bin/hatoba forward add --name second 5002 ${TARGET}
  ip netns exec ${ROUTER_NAMESPACE} nft list table inet hatoba
  ip netns exec ${ROUTER_NAMESPACE} nft flush ruleset      # and connect again: it is back
  make down
`;

/** What is read of `hatoba forward list -o json`. */
const Forwards = Type.Array(
  Type.Object({
    name: Type.Union([Type.String(), Type.Null()]),
    external_port: Type.String(),
    internal_address: Type.String(),
    internal_port: Type.String(),
  }),
);

await present(async () => {
  report((await startDaemon()) ? 'started the daemon' : 'the daemon is running');
  await createLab(report);
  report('the practice network is there');
  await ensureForward();
  const greeting = await knockPatiently();
  report(`connected from ${CLIENT_ADDRESSES[4]} to ${OUTSIDE}, and was answered: ${greeting}`);
  process.stdout.write(NEXT);
});

async function ensureForward(): Promise<void> {
  const forwards = Value.Parse(Forwards, JSON.parse(await hatoba('forward', 'list', '-o', 'json')));
  const present = forwards.find(({ name }) => name === NAME);
  if (present === undefined) {
    const args = ['--router', ROUTER_ID, '--name', NAME, String(OUTSIDE_PORT), TARGET];
    report((await hatoba('forward', 'add', ...args)).trim());
    return;
  }
  const target = `${present.internal_address}:${present.internal_port}`;
  if (present.external_port !== String(OUTSIDE_PORT) || target !== TARGET)
    throw hatobaError('name_taken', { value: NAME });
  report(`the forward ${NAME} is there: ${OUTSIDE} leads to ${TARGET}`);
}

async function knockPatiently(): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await knock(GATEWAY_ADDRESSES[4], OUTSIDE_PORT);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await sleep(PAUSE);
    }
  }
}
