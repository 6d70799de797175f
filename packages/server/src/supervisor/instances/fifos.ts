import { chmodSync, chownSync, constants, lstatSync, openSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { runArgv, type SpawnArgv } from '../../kernel/spawn-argv.ts'
import { createLineSplitter } from '../output/line-splitter.ts'

/**
 * The pipes that processes write to. A named one, because its process holds it open for reading as well: it survives the
 * supervisor, and the next one opens it again. The folder is the supervisor's alone; a process reaches its pipe through
 * the descriptors it was started with.
 */
export interface Fifos {
  /** A new pipe for this id. `owner`: who may reopen it through /dev/stdout. */
  take(id: string, owner: { uid: number; gid: number } | undefined): Promise<string>
  pathOf(id: string): string
  remove(id: string): void
}

const ready = 8

export async function openFifos(folder: string, start: SpawnArgv): Promise<Fifos> {
  const pool: string[] = []
  let made = 0
  let filling: Promise<void> | undefined
  const fill = async (): Promise<void> => {
    const paths = Array.from({ length: ready - pool.length }, () => join(folder, `.ready-${process.pid}-${made++}`))
    const result = await runArgv(start, 'mkfifo', ['-m', '600', '--', ...paths], {
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    })
    if (result.exitCode !== 0) throw new Error(`mkfifo: ${result.stderr.trim()}`)
    pool.push(...paths)
  }
  const refill = (): Promise<void> => {
    filling ??= fill().finally(() => {
      filling = undefined
    })
    return filling
  }
  for (const name of readdirSync(folder)) {
    if (name.startsWith('.ready-')) rmSync(join(folder, name), { force: true })
  }
  await refill()
  return {
    async take(id, owner) {
      let fresh = pool.pop()
      while (fresh === undefined) {
        await refill()
        fresh = pool.pop()
      }
      if (pool.length <= ready / 2) refill().catch(() => undefined) // the next one without a pipe asks again and says why
      const path = join(folder, id)
      if (owner) chownSync(fresh, owner.uid, owner.gid)
      chmodSync(fresh, 0o600)
      renameSync(fresh, path)
      return path
    },
    pathOf: (id) => join(folder, id),
    remove: (id) => rmSync(join(folder, id), { force: true }),
  }
}

/** Both ends: `writeEnd` is given to the process as its stdout and stderr, opened for reading too, and then closed here. */
export function openBothEnds(path: string): { readEnd: number; writeEnd: number } {
  const readEnd = openReadEnd(path)
  return { readEnd, writeEnd: openSync(path, constants.O_RDWR) }
}

export function openReadEnd(path: string): number {
  if (!lstatSync(path).isFIFO()) throw new Error(`${path} is not a pipe`)
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
}

export interface FollowedOutput {
  /** Resolves when nobody holds the writing end any more and everything was read. */
  readonly finished: Promise<void>
  /** Stops reading, whoever still writes. */
  close(): void
}

/** An unfinished line is passed on after this much silence. */
const silenceMs = 200

export function followOutput(readEnd: number, onLines: (lines: string[], bytes: number) => void): FollowedOutput {
  const splitter = createLineSplitter()
  const socket = new Socket({ fd: readEnd, readable: true, writable: false })
  let silence: NodeJS.Timeout | undefined
  socket.on('data', (chunk) => {
    clearTimeout(silence)
    onLines(splitter.push(chunk), chunk.length)
    if (splitter.pending) silence = setTimeout(() => onLines(splitter.flush(), 0), silenceMs)
  })
  socket.on('error', () => socket.destroy()) // EIO of a pipe does not happen; `close` follows in any case
  const finished = new Promise<void>((resolve) =>
    socket.once('close', () => {
      clearTimeout(silence)
      onLines(splitter.flush(), 0)
      resolve()
    }),
  )
  return { finished, close: () => socket.destroy() }
}
