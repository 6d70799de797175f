import type { Endpoint } from '../endpoint.ts'
import { ApiError } from './api-error.ts'
import { EventStreamParser, type RawEvent } from './event-stream.ts'
import { type ClientOptions, delayOf, mayPass, pause, type RawInput, sendOnce } from './request.ts'

/** An event with its data decoded. */
export interface DecodedEvent {
  readonly id?: string
  readonly event: string
  readonly data: unknown
}

/**
 * Follows an event stream until its `end` event, connecting again after the last id seen whenever the connection breaks.
 * A first connection that fails throws; a later one is tried until `streamGiveUpMs` have passed without one.
 */
export async function* followEvents(
  options: ClientOptions,
  endpoint: Endpoint,
  input: RawInput,
): AsyncGenerator<DecodedEvent> {
  const position: Position = { lastEventId: input.lastEventId, retryMs: options.retryDelayMs ?? 200 }
  let connected = false
  let downSince: number | undefined
  for (let failed = 0; ; failed++) {
    let delay = position.retryMs
    try {
      for await (const event of oneConnection(options, endpoint, resumed(input, position), position)) {
        connected = true
        downSince = undefined
        if (event === 'alive') continue
        failed = 0
        yield event
        if (event.event === 'end') return
      }
    } catch (error) {
      if (input.signal?.aborted) throw input.signal.reason
      if (!connected || !mayContinue(error)) throw error
      downSince ??= performance.now()
      if (performance.now() - downSince > (options.streamGiveUpMs ?? 60_000)) throw error
      delay = delayOf(options, error, failed)
    }
    await pause(Math.max(delay, delayOf(options, undefined, failed)), input.signal)
  }
}

function mayContinue(error: unknown): boolean {
  return mayPass(error) || error instanceof BrokenStream || (error instanceof ApiError && error.status === 429)
}

interface Position {
  lastEventId: string | undefined
  retryMs: number
}

/** The connection was lost or fell silent. */
class BrokenStream extends Error {
  override readonly name = 'BrokenStream'
}

/** The request that goes on after the last event: what chose the beginning no longer applies. */
function resumed(input: RawInput, { lastEventId }: Position): RawInput {
  if (lastEventId === undefined) return input
  const { tail: _tail, since: _since, ...query } = input.query ?? {}
  return { ...input, query, lastEventId }
}

async function* oneConnection(
  options: ClientOptions,
  endpoint: Endpoint,
  input: RawInput,
  position: Position,
): AsyncGenerator<DecodedEvent | 'alive'> {
  const connection = new AbortController()
  const signal = input.signal ? AbortSignal.any([input.signal, connection.signal]) : connection.signal
  const idle = watchIdle(options.streamIdleMs ?? 45_000, () =>
    connection.abort(new BrokenStream('The stream fell silent.')),
  )
  try {
    const response = await sendOnce(options, endpoint, { ...input, signal })
    if (!response.body) return
    yield 'alive'
    const reader = response.body.getReader()
    const decoder = new TextDecoder()
    const parser = new EventStreamParser()
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw input.signal?.aborted ? input.signal.reason : new BrokenStream('The stream broke.', { cause })
      })
      if (done) return
      idle.sign()
      for (const reading of parser.push(decoder.decode(value, { stream: true }))) {
        if (reading.kind === 'retry') position.retryMs = Math.min(reading.ms, 10_000)
        else yield* decoded(reading.event, position)
      }
    }
  } finally {
    idle.end()
    connection.abort()
  }
}

/** An event whose data is not JSON is none of ours and is passed over. */
function* decoded(raw: RawEvent, position: Position): Generator<DecodedEvent> {
  if (raw.id) position.lastEventId = raw.id
  let data: unknown
  try {
    data = JSON.parse(raw.data)
  } catch {
    return
  }
  yield { ...raw, data }
}

function watchIdle(ms: number, onIdle: () => void) {
  let timer = setTimeout(onIdle, ms)
  return {
    sign() {
      clearTimeout(timer)
      timer = setTimeout(onIdle, ms)
    },
    end: () => clearTimeout(timer),
  }
}
