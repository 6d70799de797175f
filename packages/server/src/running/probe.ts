import { request } from 'node:http'
import type { Address } from '../engines/engine.ts'
import { isSystemError, messageOf } from '../kernel/errors.ts'
import type { Probe, ProbeResult } from './running-deps.ts'

/**
 * GET / of the instance: any answer below 500 passes, a redirection too, which is not followed. A loopback address is tried
 * as 127.0.0.1 and as ::1, because programs that listen on `localhost` pick either; the result says which one answered.
 */
export function createProbe(timeoutMs: number): Probe {
  return async (address, host, signal) => {
    let result: ProbeResult = { kind: 'refused' }
    for (const candidate of candidates(address)) {
      result = await ask(candidate, host, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
      signal.throwIfAborted()
      if (result.kind !== 'refused') return result
    }
    return result
  }
}

function candidates(address: Address): readonly Address[] {
  if (address.kind === 'unix' || address.host !== '127.0.0.1') return [address]
  return [address, { ...address, host: '::1' }]
}

function ask(address: Address, host: string, signal: AbortSignal): Promise<ProbeResult> {
  const target = address.kind === 'tcp' ? { host: address.host, port: address.port } : { socketPath: address.path }
  const headers = { host, 'user-agent': 'Gantry-Health-Check', connection: 'close' }
  return new Promise((resolve) => {
    const asked = request({ ...target, path: '/', method: 'GET', headers, agent: false, signal })
    asked.once('error', (error) => resolve(failureOf(error)))
    asked.once('response', (response) => {
      const status = response.statusCode ?? 0
      // The first bytes decide; an endless body must not keep the check waiting.
      response.on('error', () => undefined)
      response.destroy()
      resolve(
        status < 500
          ? { kind: 'healthy', reached: address }
          : { kind: 'unhealthy', message: `GET / answered ${status}` },
      )
    })
    asked.end()
  })
}

function failureOf(error: Error): ProbeResult {
  if (isSystemError(error, 'ECONNREFUSED', 'ENOENT')) return { kind: 'refused' }
  if (error.name === 'TimeoutError' || error.name === 'AbortError') {
    return { kind: 'unhealthy', message: 'GET / was not answered in time' }
  }
  return { kind: 'unhealthy', message: `GET / failed: ${messageOf(error)}` }
}
