import { connect } from 'node:net'
import { Refusal, type Reply } from '../protocol.ts'
import type { LifecycleVerbs } from './protocol.ts'

/** One request on a connection of its own. Rejects with `Refusal`, or when nobody answers within `timeoutMs`. */
export function askLifecycle<V extends keyof LifecycleVerbs>(
  path: string,
  verb: V,
  args: LifecycleVerbs[V]['args'],
  timeoutMs: number,
): Promise<LifecycleVerbs[V]['result']> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(path)
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
    socket.once('error', reject)
    socket.once('close', () => {
      clearTimeout(timer)
      reject(new Error('the connection ended before the answer'))
    })
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n')) return
      const reply = JSON.parse(text) as Reply
      if ('error' in reply) reject(new Refusal(reply.error.name, reply.error.message))
      else resolve(reply.ok as LifecycleVerbs[V]['result'])
      socket.destroy()
    })
    socket.write(`${JSON.stringify({ id: 1, verb, args })}\n`)
  })
}
