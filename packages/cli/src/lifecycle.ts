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

/** One request to the supervisor of this home; `undefined` when none runs. */
export async function askSupervisor<T>(home: string, verb: Verb, args: object = {}): Promise<T | undefined> {
  try {
    return await exchange<T>(join(home, 'run', 'lifecycle.sock'), verb, args)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined
    if (code !== 'EACCES') throw error
    throw new CommandError(exitCodes.denied, `The platform over ${home} belongs to another user.`)
  }
}

interface Reply {
  readonly ok?: unknown
  readonly error?: { readonly name: string; readonly message: string }
}

/** Resolves with the answer; for `down` when the connection closes, which is when everything has ended. */
function exchange<T>(path: string, verb: Verb, args: object): Promise<T> {
  return new Promise((resolve, reject) => {
    let text = ''
    let answer: T | undefined
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('close', () => {
      if (answer !== undefined) resolve(answer)
      else reject(new Error('the supervisor ended the connection without an answer'))
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n') || answer !== undefined) return
      const reply = JSON.parse(text) as Reply
      if (reply.error) {
        reject(new CommandError(exitCodes.failed, reply.error.message))
        socket.destroy()
        return
      }
      answer = reply.ok as T
      if (verb !== 'down') socket.end()
    })
    socket.write(`${JSON.stringify({ id: 1, verb, args })}\n`)
  })
}
