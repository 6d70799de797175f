import { hasProcessEnded } from '../kernel/process-life.ts'
import { routerIdPrefix } from '../router/protocol.ts'

/** Whether a router has certainly ended, so that nobody waits for the lease of a killed one. */
export function isRouterGone(routerId: string): boolean {
  return routerId.startsWith(routerIdPrefix) && hasProcessEnded(routerId.slice(routerIdPrefix.length))
}
