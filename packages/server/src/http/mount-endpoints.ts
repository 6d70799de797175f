import type { FastifyInstance } from 'fastify'
import { UserError } from '../kernel/errors.ts'
import { answerEndpoint } from './answer-endpoint.ts'
import type { MountedDeps } from './http-server.ts'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

/** Every endpoint at its path; its path with any other method answers 405 with `Allow`. */
export function mountEndpoints(app: FastifyInstance, deps: MountedDeps): void {
  const known = new Map<string, string[]>()
  for (const bound of deps.endpoints) {
    const { method, path } = bound.endpoint
    known.set(path, [...(known.get(path) ?? []), method])
    app.route({ method, url: routeOf(path), handler: (request, reply) => answerEndpoint(deps, bound, request, reply) })
  }
  for (const [path, allowed] of known) {
    app.route({
      method: methods.filter((method) => !allowed.includes(method)),
      url: routeOf(path),
      handler: (request, reply) => {
        const allow = allowed.join(', ')
        reply.header('allow', allow)
        throw new UserError('method_not_allowed', `This path does not know ${request.method}; it knows ${allow}.`)
      },
    })
  }
}

/** `/v1/apps/{id}` → `/v1/apps/:id`. */
function routeOf(path: string): string {
  return path.replace(/\{([a-z_]+)\}/g, ':$1')
}
