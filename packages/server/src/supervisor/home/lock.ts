import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'
import { isSystemError } from '../../kernel/errors.ts'

/** Held for the life of the process: the kernel gives it back when the process ends, however it ends. */
export interface HomeLock {
  release(): Promise<void>
}

/** Names a home in places that are shared with others: sockets, environments. `path` is the real path. */
export function keyOfHome(path: string): string {
  return createHash('sha256').update(path).digest('hex').slice(0, 16)
}

/**
 * One home, one supervisor: an abstract Unix socket, which only one process can bind and nobody can leave behind.
 * Undefined when somebody holds it. Another program on this machine could take the name to keep Gantry from starting;
 * it could not get at anything by it.
 */
export async function lockHome(key: string): Promise<HomeLock | undefined> {
  const server = createServer((client) => client.destroy())
  try {
    await listen(server, `\0gantry-${key}`)
  } catch (error) {
    if (isSystemError(error, 'EADDRINUSE')) return undefined
    throw error
  }
  server.unref()
  return { release: () => new Promise((resolve) => server.close(() => resolve())) }
}

/** As `lockHome`, but for a holder that is about to end. */
export async function waitForHomeLock(key: string, clock: Clock, timeoutMs: number): Promise<HomeLock | undefined> {
  const deadline = clock.monotonicMs() + timeoutMs
  for (;;) {
    const lock = await lockHome(key)
    if (lock || clock.monotonicMs() > deadline) return lock
    await clock.wait(10)
  }
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
}
