import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, isIPv6, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** What `peer.ts` asks of the process it started in a namespace, one JSON object a line. */
export type PeerRequest =
  | { readonly kind: 'ping' }
  | { readonly kind: 'serveTcp'; readonly port: number }
  | { readonly kind: 'serveUdp'; readonly port: number; readonly address?: string }
  | { readonly kind: 'open'; readonly address: string; readonly port: number; readonly patience: number }
  | { readonly kind: 'echo'; readonly id: number; readonly text: string; readonly patience: number }
  | { readonly kind: 'close'; readonly id: number; readonly patience: number }
  | { readonly kind: 'reset' }
  | {
      readonly kind: 'ask';
      readonly address: string;
      readonly port: number;
      readonly localPort: number;
      readonly patience: number;
    };

export type PeerAnswer =
  | { readonly call: number; readonly text: string; readonly id: number }
  | { readonly call: number; readonly error: string };

/** Those opened here, by number. */
const connections = new Map<number, Socket>();
const accepted = new Set<Socket>();
let lastConnection = 0;

async function perform(request: PeerRequest): Promise<{ text: string; id: number }> {
  switch (request.kind) {
    case 'ping':
      return { text: '', id: 0 };
    case 'serveTcp':
      await serveTcp(request.port);
      return { text: '', id: 0 };
    case 'serveUdp':
      await serveUdp(request.port, request.address);
      return { text: '', id: 0 };
    case 'open':
      return open(request.address, request.port, request.patience);
    case 'echo':
      return { text: await echo(connectionOf(request.id), request.text, request.patience), id: request.id };
    case 'close':
      await close(connectionOf(request.id), request.patience);
      connections.delete(request.id);
      return { text: '', id: request.id };
    case 'reset':
      await Promise.all([...connections.values(), ...accepted].map(reset));
      connections.clear();
      return { text: '', id: 0 };
    case 'ask':
      return { text: await ask(request), id: 0 };
  }
}

async function serveTcp(port: number): Promise<void> {
  const server = createServer((socket) => {
    accepted.add(socket);
    socket.on('close', () => accepted.delete(socket));
    // Clients come and go as they like.
    socket.on('error', () => socket.destroy());
    socket.write(seen(socket.remoteAddress ?? 'nobody', socket.remotePort ?? 0));
    socket.pipe(socket);
  });
  server.listen(port);
  await once(server, 'listening');
}

async function serveUdp(port: number, address?: string): Promise<void> {
  const addresses = address === undefined ? ['0.0.0.0', '::'] : [address];
  for (const local of addresses) {
    const socket = createSocket({ type: typeOf(local), ipv6Only: isIPv6(local) });
    socket.on('message', (_, peer) => socket.send(seen(peer.address, peer.port), peer.port, peer.address));
    socket.bind(port, local);
    await once(socket, 'listening');
  }
}

async function open(address: string, port: number, patience: number): Promise<{ text: string; id: number }> {
  const socket = connect({ host: address, port });
  try {
    const text = await within(patience, nextData(socket));
    const id = ++lastConnection;
    connections.set(id, socket);
    // It may be reset at any time; who uses it next is told.
    socket.on('error', () => socket.destroy());
    return { text, id };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function echo(socket: Socket, text: string, patience: number): Promise<string> {
  const answer = nextData(socket);
  socket.write(text);
  return within(patience, answer);
}

/** Both ends: the other one, too, closes when it has been sent everything. */
async function close(socket: Socket, patience: number): Promise<void> {
  const closed = closedOf(socket);
  socket.end();
  await within(patience, closed);
}

async function reset(socket: Socket): Promise<void> {
  const closed = closedOf(socket);
  socket.resetAndDestroy();
  await closed;
}

function closedOf(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

async function ask({ address, port, localPort, patience }: PeerRequest & { kind: 'ask' }): Promise<string> {
  const socket = createSocket(typeOf(address));
  try {
    socket.bind(localPort);
    await once(socket, 'listening');
    const answer = new Promise<string>((resolve, reject) => {
      socket.once('message', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    socket.send('?', port, address);
    return await within(patience, answer);
  } finally {
    socket.close();
  }
}

async function nextData(socket: Socket): Promise<string> {
  const settled = new AbortController();
  const { signal } = settled;
  const closed = once(socket, 'close', { signal }).then(() => {
    throw new Error('closed');
  });
  try {
    const [data]: unknown[] = await Promise.race([once(socket, 'data', { signal }), closed]);
    return String(data);
  } finally {
    settled.abort();
  }
}

/** What is late is given up. */
async function within<Value>(patience: number, promise: Promise<Value>): Promise<Value> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('timeout')), patience);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function connectionOf(id: number): Socket {
  const socket = connections.get(id);
  if (socket === undefined) throw new Error(`there is no connection ${id}`);
  return socket;
}

function typeOf(address: string): 'udp4' | 'udp6' {
  return isIPv6(address) ? 'udp6' : 'udp4';
}

function seen(address: string, port: number): string {
  return `${address.replace(/^::ffff:/, '')} ${port}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}

async function serve(): Promise<void> {
  const write = (answer: PeerAnswer) => process.stdout.write(`${JSON.stringify(answer)}\n`);
  for await (const line of createInterface(process.stdin)) {
    const { call, request }: { call: number; request: PeerRequest } = JSON.parse(line);
    perform(request).then(
      ({ text, id }) => write({ call, text, id }),
      (error: unknown) => write({ call, error: reasonOf(error) }),
    );
  }
  process.exit(0);
}

if (import.meta.main) await serve();
