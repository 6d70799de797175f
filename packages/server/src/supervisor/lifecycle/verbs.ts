import type { VerbHandlers } from '../protocol.ts'
import type { LifecycleVerbs } from './protocol.ts'

/** What the supervisor's own socket knows of the lifecycle. */
export type LifecycleHandlers = Pick<VerbHandlers, 'status' | 'replaceProgram' | 'down' | 'replace'>

export type LifecycleSocketHandlers = {
  [V in keyof LifecycleVerbs]: (args: LifecycleVerbs[V]['args']) => Promise<LifecycleVerbs[V]['result']>
}
