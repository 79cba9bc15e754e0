import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { PeerAnswer, PeerRequest } from './peer-process.ts';

/** A process in a network namespace that has real sockets. Disposing ends it. */
export interface Peer extends AsyncDisposable {
  /** Greets every connection with whom it sees (`198.51.100.5 40000`), then returns what it is sent. */
  serveTcp(port: number): Promise<void>;
  /** Answers every datagram with whom it sees; from `address` only, where the answer has to come from it too. */
  serveUdp(port: number, address?: string): Promise<void>;
  /**
   * Connects, gives the greeting, and closes in good order: when it resolves, both ends have closed, and nothing of the
   * connection is still on its way. Rejects with an errno name, or `timeout`.
   */
  connect(address: string, port: number, patience?: number): Promise<string>;
  /** The same, and the connection stays open: it has this number. */
  open(address: string, port: number, patience?: number): Promise<{ readonly id: number; readonly greeting: string }>;
  /** What comes back on an open connection. */
  echo(id: number, text: string, patience?: number): Promise<string>;
  /** Closes in good order, and waits until the other end has, too. Rejects with `timeout`. */
  close(id: number): Promise<void>;
  /**
   * Resets every connection that this process has opened or accepted, and waits until none is left. After a reset of both
   * ends neither sends anything more: no delayed ACK, no retransmission, which a router that has forgotten the connection
   * would track as a new one (`nf_conntrack_tcp_loose`).
   */
  reset(): Promise<void>;
  /** Sends a datagram (from `localPort`, where it matters) and gives the answer. Rejects with `timeout`. */
  ask(address: string, port: number, options?: { localPort?: number; patience?: number }): Promise<string>;
}

/** For what is expected to come: long, since how fast the machine is must not matter. */
const PATIENCE = 60_000;

/** `directory`: where the name is. */
export async function openPeer(namespace: string, directory = '/run/netns'): Promise<Peer> {
  const script = fileURLToPath(new URL('peer-process.ts', import.meta.url));
  const child = spawn('nsenter', [`--net=${directory}/${namespace}`, '--', process.execPath, script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const waiting = new Map<number, (answer: PeerAnswer) => void>();
  let lastCall = 0;
  createInterface(child.stdout).on('line', (line) => {
    const answer: PeerAnswer = JSON.parse(line);
    waiting.get(answer.call)?.(answer);
    waiting.delete(answer.call);
  });
  let ended = false;
  void exited.then(() => {
    ended = true;
    for (const [call, settle] of waiting) settle({ call, error: 'the peer has ended' });
    waiting.clear();
  });

  async function ask(request: PeerRequest): Promise<{ text: string; id: number }> {
    const call = ++lastCall;
    const answer = await new Promise<PeerAnswer>((resolve) => {
      if (ended) resolve({ call, error: 'the peer has ended' });
      waiting.set(call, resolve);
      child.stdin.write(`${JSON.stringify({ call, request })}\n`);
    });
    if ('error' in answer) throw new Error(answer.error);
    return answer;
  }

  await ask({ kind: 'ping' });
  return {
    async serveTcp(port) {
      await ask({ kind: 'serveTcp', port });
    },
    async serveUdp(port, address) {
      await ask({ kind: 'serveUdp', port, ...(address !== undefined && { address }) });
    },
    async connect(address, port, patience = PATIENCE) {
      const { id, text } = await ask({ kind: 'open', address, port, patience });
      await ask({ kind: 'close', id, patience: PATIENCE });
      return text;
    },
    async open(address, port, patience = PATIENCE) {
      const { id, text } = await ask({ kind: 'open', address, port, patience });
      return { id, greeting: text };
    },
    async echo(id, text, patience = PATIENCE) {
      return (await ask({ kind: 'echo', id, text, patience })).text;
    },
    async close(id) {
      await ask({ kind: 'close', id, patience: PATIENCE });
    },
    async reset() {
      await ask({ kind: 'reset' });
    },
    async ask(address, port, { localPort = 0, patience = PATIENCE } = {}) {
      return (await ask({ kind: 'ask', address, port, localPort, patience })).text;
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited;
    },
  };
}
