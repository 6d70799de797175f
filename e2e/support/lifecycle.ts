import { connect } from 'node:net'
import { join } from 'node:path'

export interface PlatformProcesses {
  /** Of the supervisor. */
  readonly pid: number
  readonly build: string
  readonly state: 'starting' | 'ready' | 'stopping'
  readonly programs: readonly { readonly name: string; readonly pid?: number }[]
}

/** What the supervisor says of itself and its programs. Rejects when none answers. */
export function askLifecycle(home: string): Promise<PlatformProcesses> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(join(home, 'run/lifecycle.sock'))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the supervisor did not answer')))
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (!text.includes('\n')) return
      resolve((JSON.parse(text) as { ok: PlatformProcesses }).ok)
      socket.destroy()
    })
    socket.write('{"id":1,"verb":"status","args":{}}\n')
  })
}
