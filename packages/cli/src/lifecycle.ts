import { type FileHandle, open } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { CommandError, exitCodes } from './exit-codes.ts'

/** What the supervisor says of itself on `GANTRY_HOME/run/lifecycle.sock`. */
export interface PlatformStatus {
  readonly pid: number
  readonly startedAt: string
  readonly state: 'starting' | 'ready' | 'stopping'
  readonly version: string
  readonly home: string
  readonly apiUrl: string
  readonly httpPort: number
  readonly programs: readonly {
    readonly name: string
    readonly state: string
    readonly pid?: number
    readonly restarts: number
    readonly message?: string
  }[]
}

type Verb = 'status' | 'down' | 'restart' | 'replaceProgram'

/** How long each may take, in ms. `down` ends apps, which have a grace of their own. */
const timeouts: Readonly<Record<Verb, number>> = {
  status: 5_000,
  down: 120_000,
  restart: 60_000,
  replaceProgram: 120_000,
}

/**
 * One request to the supervisor of this home; `undefined` when none runs. `down` resolves when everything has ended.
 * Throws `CommandError` when it refuses, does not answer in time, or belongs to somebody else.
 */
export async function askSupervisor<T>(home: string, verb: Verb, args: object = {}): Promise<T | undefined> {
  let folder: FileHandle | undefined
  try {
    // by way of the open folder: the path of a Unix socket may have 107 bytes, that of a home more
    folder = await open(join(home, 'run'), 'r')
    return await exchange<T>(`/proc/self/fd/${folder.fd}/lifecycle.sock`, verb, args)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return undefined
    if (code !== 'EACCES') throw error
    throw new CommandError(exitCodes.denied, `The platform over ${home} belongs to another user.`)
  } finally {
    await folder?.close()
  }
}

interface Reply {
  readonly ok?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

function exchange<T>(path: string, verb: Verb, args: object): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = ''
    let reply: Reply | undefined
    const socket = connect(path)
    const tooLate = new CommandError(
      exitCodes.failed,
      `The supervisor did not do \`${verb}\` within ${timeouts[verb] / 1000} s.`,
      'Its log tells more: log/supervisor.log in GANTRY_HOME.',
    )
    const timer = setTimeout(() => socket.destroy(tooLate), timeouts[verb])
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      if (reply && !reply.error) resolve(reply.ok as T)
      else
        reject(new CommandError(exitCodes.failed, reply?.error?.message ?? 'The supervisor ended before it answered.'))
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n') || reply !== undefined) return
      reply = JSON.parse(text) as Reply
      // after `down` the supervisor closes the connection when everything has ended
      if (verb !== 'down' || reply.error) socket.destroy()
    })
    socket.write(`${JSON.stringify({ id: 1, verb, args })}\n`)
  })
}
