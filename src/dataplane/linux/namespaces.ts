/** Which network namespaces are routers, and what their interfaces are called. */
export interface NamespacePattern {
  /** The namespace's name; `*` stands for any characters. */
  readonly namespace: string;
  /** Beginnings of the names of interfaces that lead outside. */
  readonly outside: readonly string[];
  /** Beginnings of the names of interfaces that lead to inner networks. */
  readonly inside: readonly string[];
}

/** neutron/agent/l3/{router_info,dvr_edge_router}.py: the devices of a router, and of a distributed one's central part. */
export const NEUTRON_PATTERNS: readonly NamespacePattern[] = [
  { namespace: 'qrouter-*', outside: ['qg-'], inside: ['qr-'] },
  { namespace: 'snat-*', outside: ['qg-'], inside: ['sg-'] },
];

/** The first pattern that fits the namespace's name. */
export function patternOf(namespace: string, patterns: readonly NamespacePattern[]): NamespacePattern | undefined {
  return patterns.find((pattern) => fits(namespace, pattern.namespace));
}

function fits(text: string, pattern: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? '';
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}
