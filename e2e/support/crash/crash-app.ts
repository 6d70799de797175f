/** The app of the crash scenario: small, so that a push is quick, and with an account of the orders it took. */
import { createServer, type Server } from 'node:http'

export interface CrashAppOptions {
  /** Command of the `build` script; absent: nothing is built. */
  readonly build?: string
  /** Ends at once instead of listening. */
  readonly exits?: boolean
}

/** Answers `VERSION MARK`, MARK from its config; an order is answered when the ledger has taken it. */
export function crashApp(version: string, { build, exits = false }: CrashAppOptions = {}): Record<string, string> {
  const scripts = { start: 'node server.js', ...(build && { build }) }
  return {
    'package.json': `${JSON.stringify({ name: 'crash', private: true, scripts }, null, 2)}\n`,
    Procfile: 'web: node server.js\nrelease: test -f version.js\n',
    'version.js': `module.exports = ${JSON.stringify(version)}\n`,
    'server.js': `${exits ? "console.error('cannot start'); process.exit(3)\n" : ''}
const { Agent, createServer, request } = require('node:http')
const answer = require('./version.js') + ' ' + (process.env.MARK || '')
const agent = new Agent({ keepAlive: true })
const server = createServer((incoming, response) => {
  if (incoming.method !== 'POST') return void response.end(answer)
  const entry = request({ host: '127.0.0.1', port: process.env.LEDGER_PORT, method: 'POST', agent }, (taken) => {
    taken.resume()
    taken.on('end', () => response.end(answer))
  })
  entry.on('error', (error) => { response.statusCode = 500; response.end(String(error)) })
  incoming.pipe(entry)
})
server.listen(process.env.PORT)
process.on('SIGTERM', () => server.close(() => process.exit(0)))
`,
  }
}

/** Every order that any instance of the app has taken, as often as it did. */
export interface Ledger {
  readonly port: number
  /** How often this order was taken. */
  countOf(id: string): number
  close(): void
}

export async function openLedger(): Promise<Ledger> {
  const counts = new Map<string, number>()
  const server: Server = createServer((incoming, response) => {
    let id = ''
    incoming.on('data', (chunk: Buffer) => {
      id += chunk.toString()
    })
    incoming.on('end', () => {
      counts.set(id, (counts.get(id) ?? 0) + 1)
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the ledger has no port')
  return { port: address.port, countOf: (id) => counts.get(id) ?? 0, close: () => server.close() }
}
