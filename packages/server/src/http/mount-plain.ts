import type { FastifyInstance } from 'fastify'
import type { HttpDeps, MountedDeps } from './http-server.ts'

/** For whoever watches from outside: 200 while the platform can serve. Says nothing more. */
export function mountHealth(app: FastifyInstance, deps: MountedDeps): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/healthz',
    handler: async (_request, reply) => {
      await deps.whileReachable(deps.checkHealth())
      return reply.header('content-type', 'text/plain; charset=utf-8').header('cache-control', 'no-store').send('ok\n')
    },
  })
}

/** git's own protocol, on Node's objects: packs stream both ways. */
export function mountGit(app: FastifyInstance, { gitRequest }: HttpDeps): void {
  if (!gitRequest) return
  app.route({
    method: ['GET', 'POST'],
    url: '/git/*',
    handler: (request, reply) => {
      const headers = reply.getHeaders()
      for (const name of ['x-request-id', 'server'] as const) reply.raw.setHeader(name, String(headers[name]))
      reply.hijack()
      if (request.headers.expect?.toLowerCase() === '100-continue') reply.raw.writeContinue()
      gitRequest(request.raw, reply.raw)
      return reply
    },
  })
}
