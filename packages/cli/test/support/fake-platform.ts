/** A real HTTP server that answers with the contract's own examples, and holds every request to its schemas. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Endpoint, endpoints } from '@gantry/api'

export interface Seen {
  readonly operation: string
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: unknown
  readonly headers: IncomingMessage['headers']
}

export interface Answer {
  readonly status?: number
  readonly body?: unknown
  /** For streams: the text of the events. */
  readonly events?: string
}

/** What some operations answer instead of their example. */
export type Answers = Readonly<Record<string, Answer | ((seen: Seen) => Answer)>>

export interface FakePlatform {
  readonly url: string
  readonly seen: readonly Seen[]
  close(): Promise<void>
}

export async function startFakePlatform(answers: Answers = {}, tokens = ['secret']): Promise<FakePlatform> {
  const seen: Seen[] = []
  const problems: unknown[] = []
  const server = createServer((request, response) => {
    answer(request, response, { answers, tokens, seen }).catch((error: unknown) => {
      problems.push(error)
      response.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address && typeof address === 'object')
  return {
    url: `http://127.0.0.1:${address.port}`,
    seen,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      assert.deepEqual(problems, [])
    },
  }
}

interface Exchanges {
  readonly answers: Answers
  readonly tokens: readonly string[]
  readonly seen: Seen[]
}

async function answer(request: IncomingMessage, response: ServerResponse, { answers, tokens, seen }: Exchanges) {
  const url = new URL(request.url ?? '', 'http://localhost')
  const { endpoint, params } = find(request.method ?? '', url.pathname)
  const bytes: Buffer[] = []
  for await (const chunk of request) bytes.push(chunk as Buffer)
  const query = Object.fromEntries(url.searchParams)
  const body = readBody(endpoint, Buffer.concat(bytes))
  endpoint.params?.parse(params)
  endpoint.query?.parse(query)
  assert.ok(tokens.some((token) => request.headers.authorization === `Bearer ${token}`))
  assert.equal(request.headers['content-type'], endpoint.body?.mediaType)
  const one: Seen = { operation: endpoint.operationId, params, query, body, headers: request.headers }
  seen.push(one)
  const wanted = answers[endpoint.operationId]
  reply(response, endpoint, typeof wanted === 'function' ? wanted(one) : wanted)
}

function find(method: string, path: string): { endpoint: Endpoint; params: Record<string, string> } {
  for (const endpoint of endpoints as readonly Endpoint[]) {
    const names = [...endpoint.path.matchAll(/\{([a-z_]+)\}/g)].map((match) => match[1] ?? '')
    const match = new RegExp(`^${endpoint.path.replaceAll(/\{[a-z_]+\}/g, '([^/]+)')}$`).exec(path)
    if (!match || endpoint.method !== method) continue
    const params = Object.fromEntries(names.map((name, index) => [name, decodeURIComponent(match[index + 1] ?? '')]))
    return { endpoint, params }
  }
  throw new Error(`there is no operation ${method} ${path}`)
}

function readBody(endpoint: Endpoint, bytes: Buffer): unknown {
  if (!endpoint.body) return undefined
  if (!('schema' in endpoint.body)) return bytes
  const body: unknown = JSON.parse(bytes.toString('utf8'))
  endpoint.body.schema.parse(body)
  return body
}

function reply(response: ServerResponse, { reply }: Endpoint, wanted: Answer | undefined): void {
  if (!('mediaType' in reply)) {
    response.writeHead(wanted?.status ?? reply.status).end()
    return
  }
  if (reply.mediaType === 'text/event-stream' && !wanted?.body) {
    response.writeHead(200, { 'content-type': reply.mediaType })
    response.end(wanted?.events ?? `${eventText(reply.example)}event: end\ndata: {"status":"live"}\n\n`)
    return
  }
  response.writeHead(wanted?.status ?? reply.status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(wanted?.body ?? reply.example))
}

function eventText(event: object): string {
  return `${Object.entries(event)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}\n`
}

/** An answer that says no, as the API does. */
export function refusal(status: number, code: string, message: string): Answer {
  return { status, body: { errors: [{ code, message }], trace: 'req-1', status_code: status } }
}
