import type { Platform } from '../platform.ts'
import { percentEncoded, type RawRequest } from './exchange.ts'

/** Requests to the pages of the API and of the router with this text wherever one could come back. */
export function pageRequests({ apiPort, httpPort }: Platform, text: string): { port: number; request: RawRequest }[] {
  const encoded = percentEncoded(text)
  const bare = text.replaceAll(/\s/g, '+')
  const line = text.replaceAll(/\s/g, ' ')
  const get = (port: number, target: string, host: string, ...more: (readonly [string, string])[]) => ({
    port,
    request: { method: 'GET', target, headers: [['Host', host], ['Accept', 'text/html'], ...more] as const },
  })
  return [
    ...[`/docs/errors/${encoded}`, `/docs?q=${encoded}`, `/docs/${encoded}`, `/docs/errors?${bare}`, `/${bare}`].map(
      (target) => get(apiPort, target, 'localhost'),
    ),
    get(apiPort, '/docs', 'localhost', ['X-Request-ID', line], ['Referer', line]),
    get(apiPort, '/docs', line),
    ...['nobody.localhost', 'target.localhost'].flatMap((host) => [
      get(httpPort, `/${encoded}?${bare}`, host),
      get(httpPort, '/', host, ['X-Request-ID', line], ['Referer', line], ['X-Forwarded-Host', line]),
    ]),
    get(httpPort, '/', line),
    get(httpPort, bare, 'shop.localhost'),
  ]
}
