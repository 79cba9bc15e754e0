/** What Neutron serves besides its API: `/`, and what load balancers ask (etc/neutron/api-paste.ini). */
const HEALTH_CHECK = 'healthcheck';

/**
 * Prefixes of paths that extensions of Neutron's have (neutron-lib, api/definitions, `API_PREFIX`). Neutron finds any collection
 * behind them: `/v2.0/qos/routers/{id}` is `/v2.0/routers/{id}` (pecan_wsgi/controllers/root.py, `V2Controller._lookup`).
 */
const PREFIXES = 'bgpvpn floatingip_pools fw fwaas lb lbaas log logging metering qos sfc taas vpn'.split(' ');

/** Collections of which something is done here. */
const OURS = ['floatingips', 'ports', 'routers'];

/** Whether the path, whatever is at it, is one of Neutron's API, also where it has escapes that cannot be read. */
export function isNeutrons(url: string): boolean {
  const segments = segmentsOf(url);
  return segments === null ? /^\/+v2\.0\//.test(url) : segments[0] === 'v2.0';
}

/** The path and the query of what a request is for, also where it names the server as well (RFC 9112 §3.2.2). */
export function originForm(target: string): string {
  const rest = target.replace(/^https?:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * The URL by which a request is routed. Of a path, Neutron reads what is behind its escapes (WSGI's PATH_INFO), takes several
 * slashes for one (Paste, urlmap.py), also at its end, and leaves out `.json` there, in whatever case (pecan, core.py): what is
 * served at a path, or done on its occasion, is meant for all forms of it.
 */
export function routedUrl(url: string): string {
  const segments = segmentsOf(url);
  const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
  if (segments === null) return url;
  if (segments.length === 0) return `/${query}`;
  if (segments[0] !== 'v2.0' && segments[0] !== HEALTH_CHECK) return url;
  // Neutron has the list of its resources at `/v2.0/`, and nothing at `/v2.0`.
  if (segments.length === 1 && segments[0] === 'v2.0') return `/v2.0${pathOf(url).endsWith('/') ? '/' : ''}${query}`;
  return `/${withoutPrefix(withoutJson(segments)).map(encodeURIComponent).join('/')}${query}`;
}

function pathOf(url: string): string {
  const [path = ''] = url.split('?', 1);
  return decodeURIComponent(path);
}

/** Those of the path, behind its escapes; `null`: it has some that cannot be read. */
function segmentsOf(url: string): readonly string[] | null {
  try {
    return pathOf(url)
      .split('/')
      .filter((segment) => segment !== '');
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

function withoutJson(segments: readonly string[]): readonly string[] {
  const last = segments.at(-1)?.replace(/(?<=[^.].*)\.json$/i, '') ?? '';
  return segments.length > 1 ? [...segments.slice(0, -1), last] : segments;
}

function withoutPrefix([version = '', prefix = '', ...rest]: readonly string[]): readonly string[] {
  const isPrefix = PREFIXES.includes(prefix) && OURS.includes(rest[0] ?? '');
  return isPrefix ? [version, ...rest] : [version, prefix, ...rest].filter((segment) => segment !== '');
}

/** The URL behind a prefix, where it has that; else as it is. */
export function behindPrefix(url: string, prefix: string): string {
  const rest = url.slice(prefix.length);
  if (!url.startsWith(prefix) || !/^(?:[/?]|$)/.test(rest)) return url;
  return rest.startsWith('/') ? rest : `/${rest}`;
}
