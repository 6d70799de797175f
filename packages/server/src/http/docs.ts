import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { isErrorCode, openapiText } from '@gantry/api'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { UserError } from '../kernel/errors.ts'
import { errorListPage, errorPage, referencePage } from './docs-pages.ts'
import type { HttpDeps } from './http-server.ts'

/** The API's document and the pages that explain it. Everything is served from here, and open to everybody. */
export function mountDocs(app: FastifyInstance, { referenceScript, newNonce }: HttpDeps): void {
  const reading = ['GET', 'HEAD'] as const
  const document = Buffer.from(openapiText())
  app.route({ method: [...reading], url: '/', handler: (_request, reply) => reply.redirect('/docs', 303) })
  app.route({
    method: [...reading],
    url: '/v1/openapi.json',
    handler: (_request, reply) => reply.header('content-type', 'application/json').send(document),
  })
  app.route({
    method: [...reading],
    url: '/docs',
    handler: (_request, reply) => sendPage(reply, referencePage, { nonce: newNonce(), script: true }),
  })
  app.route({
    method: [...reading],
    url: '/docs/reference.js',
    handler: async (request, reply) => {
      const script = await referenceScript.gzipped()
      const takesGzip = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''))
      reply.headers({
        'content-type': 'text/javascript; charset=utf-8',
        'cache-control': 'no-cache',
        vary: 'accept-encoding',
      })
      return takesGzip
        ? reply.header('content-encoding', 'gzip').send(script)
        : reply.send(await promisify(gunzip)(script))
    },
  })
  app.route({
    method: [...reading],
    url: '/docs/errors',
    handler: (_request, reply) => sendPage(reply, errorListPage, { nonce: newNonce() }),
  })
  app.route<{ Params: { code: string } }>({
    method: [...reading],
    url: '/docs/errors/:code',
    handler: (request, reply) => {
      const { code } = request.params
      if (!isErrorCode(code)) throw new UserError('not_found', `There is no error code ${code.slice(0, 100)}.`)
      return sendPage(reply, (nonce) => errorPage(code, nonce), { nonce: newNonce() })
    },
  })
}

/**
 * Pages run their own script, by a nonce, and talk to this origin alone. The reference writes style elements of its own,
 * which carry no nonce: style, and only style, may be inline there.
 */
function sendPage(
  reply: FastifyReply,
  page: (nonce: string) => string,
  { nonce, script = false }: { readonly nonce: string; readonly script?: boolean },
): FastifyReply {
  const policy = [
    "default-src 'none'",
    ...(script ? [`script-src 'self' 'nonce-${nonce}'`, "connect-src 'self'", 'worker-src blob:'] : []),
    script ? "style-src 'unsafe-inline'" : `style-src 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return reply
    .header('content-security-policy', policy.join('; '))
    .header('content-type', 'text/html; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(page(nonce))
}
