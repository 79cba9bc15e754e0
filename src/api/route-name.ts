import type { FastifyRequest } from 'fastify';

/**
 * Names the route of a request: its path with parameters by name, without the expressions that restrict their values
 * (`/v2.0/floatingips/:floatingip`). `null` for a request that no route takes.
 */
export function routeNameOf({ routeOptions }: Pick<FastifyRequest, 'routeOptions'>): string | null {
  return routeOptions.url?.replaceAll(/:(\w+)\([^()]*\)/g, ':$1') ?? null;
}
