import type { FastifyInstance, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';

/** How a request is answered whose body, of any kind and size, nobody has touched. */
export type Answering = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

/** Routes of a plugin of its own, in which bodies are not read. */
export function untouched(routes: (instance: FastifyInstance) => void): FastifyPluginCallback {
  return (instance, _options, done) => {
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));
    routes(instance);
    done();
  };
}
