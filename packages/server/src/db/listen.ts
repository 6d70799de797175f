import type pg from 'pg'
import { backoffMs } from '../kernel/backoff.ts'
import type { Clock } from '../kernel/clock.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Logger } from '../kernel/logger.ts'

export interface Listener {
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

/**
 * One connection for all channels, made when the first is listened to and again whenever it is lost. What was notified
 * while it was away is lost: notifications are hints.
 */
export function createListener(newClient: () => pg.Client, deps: { clock: Clock; logger: Logger }): Listener {
  const channels = new Map<string, Set<(payload: string) => void>>()
  const stop = new AbortController()
  let connection: Connection | undefined
  let keeper: Promise<void> | undefined

  const onMessage = (message: pg.Notification) => {
    for (const callback of channels.get(message.channel) ?? []) callback(message.payload ?? '')
  }
  const keepConnected = async (onFirstAttempt: () => void) => {
    for (let failures = 0; !stop.signal.aborted; failures++) {
      await deps.clock.wait(backoffMs(failures, 50, 2000), stop.signal).catch(() => undefined)
      if (stop.signal.aborted) break
      try {
        connection = await connect(newClient(), onMessage)
        for (const channel of channels.keys()) await connection.listen(channel)
        failures = 0
        onFirstAttempt()
        await connection.lost
      } catch (error) {
        deps.logger.warn({ error: messageOf(error) }, 'the connection for notifications could not be made')
      }
      connection = undefined
      onFirstAttempt()
    }
    onFirstAttempt()
  }

  return {
    async listen(channel, onNotify) {
      const callbacks = channels.get(channel) ?? new Set()
      const isNew = callbacks.size === 0
      channels.set(channel, callbacks.add(onNotify))
      if (keeper === undefined) {
        const firstAttempt = Promise.withResolvers<void>()
        keeper = keepConnected(firstAttempt.resolve)
        await firstAttempt.promise
      } else if (isNew) {
        await connection?.listen(channel).catch(() => undefined)
      }
      return async () => {
        callbacks.delete(onNotify)
        if (callbacks.size > 0 || channels.get(channel) !== callbacks) return
        channels.delete(channel)
        await connection?.unlisten(channel).catch(() => undefined)
      }
    },
    async close() {
      stop.abort()
      channels.clear()
      await connection?.end()
      await keeper
    },
  }
}

interface Connection {
  readonly lost: Promise<void>
  listen(channel: string): Promise<void>
  unlisten(channel: string): Promise<void>
  end(): Promise<void>
}

async function connect(client: pg.Client, onMessage: (message: pg.Notification) => void): Promise<Connection> {
  const lost = new Promise<void>((resolve) => client.once('end', resolve).once('error', () => resolve()))
  client.on('error', () => undefined) // an error after the first must not end the process
  client.on('notification', onMessage)
  await client.connect()
  // a LISTEN changes the session: one at a time
  let last: Promise<unknown> = Promise.resolve()
  const send = async (sql: string) => {
    const next = last.then(() => client.query(sql))
    last = next.catch(() => undefined)
    await next
  }
  return {
    lost,
    listen: (channel) => send(`listen ${client.escapeIdentifier(channel)}`),
    unlisten: (channel) => send(`unlisten ${client.escapeIdentifier(channel)}`),
    end: () => client.end().catch(() => undefined),
  }
}
