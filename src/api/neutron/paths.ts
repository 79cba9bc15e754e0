/** Whether the path, whatever is at it, is one of Neutron's API. */
export function isNeutrons(url: string): boolean {
  return /^\/v2\.0(?:\/|\?|$)/.test(url);
}

/** The path and the query of what a request is for, also where it names the server as well (RFC 9112 §3.2.2). */
export function originForm(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * The URL by which a request is routed. Neutron takes the paths of its API with `.json`, a slash or both at their ends, and
 * several slashes for one: what is served at a path, or done on its occasion, is meant for these as well.
 */
export function routedUrl(url: string): string {
  if (!isNeutrons(url)) return url;
  const [path = '', ...search] = url.split('?');
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.length < 2) return url;
  const plain = `/${segments.join('/')}`.replace(/(?:\.|%2[eE])json$/, '');
  return [plain, ...search].join('?');
}

/** The URL behind a prefix, where it has that; else as it is. */
export function behindPrefix(url: string, prefix: string): string {
  const rest = url.slice(prefix.length);
  if (!url.startsWith(prefix) || !/^(?:[/?]|$)/.test(rest)) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
