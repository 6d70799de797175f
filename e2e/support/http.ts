/** Requests to an app through the router, by Host header, each on the connection kind that is asked for. */
import { type Agent, request } from 'node:http'

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

export interface RequestOptions {
  readonly method?: string
  readonly path?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent | false
  readonly timeoutMs?: number
}

export function ask(port: number, host: string, options: RequestOptions = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        host: '127.0.0.1',
        port,
        method: options.method ?? 'GET',
        path: options.path ?? '/',
        headers: { host: `${host}:${port}`, ...options.headers },
        agent: options.agent ?? false,
        timeout: options.timeoutMs ?? 40_000,
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
        response.once('error', reject)
      },
    )
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', reject)
    asked.end(options.body)
  })
}
