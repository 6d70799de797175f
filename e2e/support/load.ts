/** Clients that hammer an app while something happens to the platform, and count what fails. */
import { Agent } from 'node:http'
import { ask } from './http.ts'

export interface LoadReport {
  readonly requests: number
  readonly failures: readonly string[]
  /** Ids that the app was asked to take by POST, in the order sent; each was answered 200. */
  readonly postedIds: readonly string[]
  /** Every id that was sent, whatever became of it. */
  readonly sentIds: readonly string[]
  readonly versions: ReadonlySet<string>
}

export interface Load {
  stop(): Promise<LoadReport>
}

export interface LoadOptions {
  readonly port: number
  readonly host: string
  readonly keepAlive?: number
  readonly closing?: number
  readonly posting?: number
  /** Between two requests of a client; default 2. */
  readonly pauseMs?: number
  /** Ids of several loads of one app must differ. */
  readonly idPrefix?: string
}

export function startLoad(options: LoadOptions): Load {
  const failures: string[] = []
  const postedIds: string[] = []
  const sentIds: string[] = []
  const versions = new Set<string>()
  let [requests, nextId, stopped] = [0, 0, false]
  const agent = new Agent({ keepAlive: true, maxSockets: options.keepAlive ?? 4 })

  const client = async (name: string, send: () => Promise<{ status: number; body: string }>) => {
    while (!stopped) {
      const startedAt = new Date().toISOString()
      try {
        const { status, body } = await send()
        if (status === 200) versions.add(body)
        else failures.push(`${startedAt} ${name}: ${status} ${body.slice(0, 200)}`)
      } catch (error) {
        failures.push(`${startedAt} ${name}: ${String(error)}`)
      }
      requests++
      await new Promise((resolve) => setTimeout(resolve, options.pauseMs ?? 2))
    }
  }
  const { port, host } = options
  const clients = [
    ...Array.from({ length: options.keepAlive ?? 4 }, () => client('keep-alive', () => ask(port, host, { agent }))),
    ...Array.from({ length: options.closing ?? 2 }, () =>
      client('close', () => ask(port, host, { headers: { connection: 'close' } })),
    ),
    ...Array.from({ length: options.posting ?? 1 }, () =>
      client('post', async () => {
        const id = `${options.idPrefix ?? 'id'}-${nextId++}`
        sentIds.push(id)
        const answer = await ask(port, host, { method: 'POST', path: '/orders', body: id, agent })
        if (answer.status === 200) postedIds.push(id)
        return answer
      }),
    ),
  ]
  return {
    async stop() {
      stopped = true
      await Promise.all(clients)
      agent.destroy()
      return { requests, failures, postedIds, sentIds, versions }
    },
  }
}
