import { writeSync } from 'node:fs'
import type { Clock } from '../kernel/clock.ts'
import { messageOf, UserError } from '../kernel/errors.ts'

/**
 * What the supervisor tells whoever started it, a line of JSON each, on the descriptor that `GANTRY_EVENTS_FD` names.
 * Durations are in ms. The last one is `ready`, `stopped` or `failed`.
 */
export type StartEvent =
  /** A step of the start is done. */
  | { readonly event: 'step'; readonly step: StartStep; readonly ms: number }
  /** Another build of Gantry runs over this home and is being replaced; `pid` is the new supervisor, which is not this process. */
  | { readonly event: 'upgrading'; readonly from: string; readonly to: string; readonly pid: number }
  | ReadyEvent
  /** With `GANTRY_STOP_ONLY`: nothing runs over this home any more; whether anything did. */
  | { readonly event: 'stopped'; readonly found: boolean }
  | { readonly event: 'failed'; readonly code: string; readonly message: string }

export type StartStep = 'postgres' | 'router' | 'control_plane' | 'instances' | 'toolchains'

export interface ReadyEvent {
  readonly event: 'ready'
  /** Of the supervisor that runs now. */
  readonly pid: number
  readonly version: string
  readonly home: string
  readonly api_url: string
  readonly http_port: number
  readonly ms: number
}

export type Tell = (event: StartEvent) => void

/** Writes to the descriptor; says nothing when there is none, or when whoever listened is gone. */
export function createTell(fd: string | undefined): Tell {
  let open = fd !== undefined && /^\d+$/.test(fd)
  return (event) => {
    if (!open) return
    try {
      writeSync(Number(fd), `${JSON.stringify(event)}\n`)
    } catch {
      open = false
    }
  }
}

export function failedEvent(error: unknown): StartEvent {
  const code = error instanceof UserError ? error.code : 'internal_error'
  return { event: 'failed', code, message: messageOf(error) }
}

/** Does a step and tells how long it took. */
export async function timed<T>(tell: Tell, clock: Clock, step: StartStep, work: () => Promise<T>): Promise<T> {
  const start = clock.monotonicMs()
  const result = await work()
  tell({ event: 'step', step, ms: Math.round(clock.monotonicMs() - start) })
  return result
}
