import { Agent, type IncomingMessage, request } from 'node:http'
import type { Acknowledgement, RouterMetrics, TableUpdate } from './protocol.ts'
import type { TablePosition } from './table.ts'

/** The router's side of router/protocol.ts. Every call rejects when the control plane is away. */
export interface ControlPlaneClient {
  /** Undefined: nothing newer, after a wait. */
  fetchTable(known: TablePosition | undefined, signal: AbortSignal): Promise<TableUpdate | undefined>
  acknowledge(acknowledgement: Acknowledgement): Promise<void>
  /** False: the control plane knows nothing of this router and wants a full report. */
  report(metrics: RouterMetrics): Promise<boolean>
  leave(): Promise<void>
  close(): void
}

/** Longer than the control plane lets a call wait. */
const callTimeoutMs = 25_000

export function createControlPlaneClient(socketPath: string, routerId: string): ControlPlaneClient {
  // the long call has a connection, and the short ones share another and keep their order
  const agents = [new Agent({ keepAlive: true, maxSockets: 1 }), new Agent({ keepAlive: true, maxSockets: 1 })] as const
  const call = async (method: string, path: string, body?: object): Promise<Reply> => {
    return await send({ socketPath, method, path, agent: agents[1], timeout: callTimeoutMs }, body)
  }
  return {
    async fetchTable(known, signal) {
      const query = new URLSearchParams({
        epoch: known?.epoch ?? '',
        after: String(known?.revision ?? 0),
        router: routerId,
      })
      const options = { socketPath, path: `/table?${query}`, agent: agents[0], timeout: callTimeoutMs, signal }
      const { text } = await send(options)
      return text === '' ? undefined : (JSON.parse(text) as TableUpdate)
    },
    async acknowledge(acknowledgement) {
      await call('POST', '/acknowledgements', acknowledgement)
    },
    report: async (metrics) => (await call('POST', '/metrics', metrics)).status !== 409,
    async leave() {
      await call('DELETE', `/routers/${encodeURIComponent(routerId)}`)
    },
    close: () => {
      for (const agent of agents) agent.destroy()
    },
  }
}

interface SendOptions {
  readonly socketPath: string
  readonly path: string
  readonly agent: Agent
  readonly timeout: number
  readonly method?: string
  readonly signal?: AbortSignal
}

interface Reply {
  readonly status: number
  readonly text: string
}

/** Rejects on any answer but success and 409. */
function send(options: SendOptions, body?: object): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const call = request(options, (response) => {
      readText(response).then((text) => {
        const status = response.statusCode ?? 500
        if (status < 300 || status === 409) resolve({ status, text })
        else reject(new Error(`the control plane answered ${status}: ${text}`))
      }, reject)
    })
    call.once('timeout', () => call.destroy(new Error('the control plane did not answer in time')))
    call.once('error', reject)
    call.end(body && JSON.stringify(body))
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
