import type { RouterLimits } from './limits.ts'
import type { RoutingTable } from './table.ts'

/** What every connection and request of a router shares. */
export interface RouterCore {
  readonly limits: RouterLimits
  readonly table: RoutingTable
  readonly newRequestId: () => string
  /** Monotonic. */
  readonly nowMs: () => number
  /** Since 1970. */
  readonly wallMs: () => number
  /** Another router takes over: every connection closes after its next response. */
  isDraining: boolean
}
