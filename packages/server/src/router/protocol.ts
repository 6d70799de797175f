/**
 * What the control plane and a router say to each other: HTTP/1.1 on a Unix socket (`GANTRY_HOME/run/routing.sock`).
 *
 * - `GET /table?epoch=E&after=N&router=ID` answers at once when the table is newer than revision N of epoch E, else waits
 *   up to 20 s and answers 204. The answer is a `TableUpdate`. Each call also renews the router's lease (30 s).
 * - `POST /acknowledgements` with `Acknowledgement`: the router has saved and applied that revision.
 * - `POST /metrics` with `RouterMetrics`, every second, and before each acknowledgement: whoever waits for that knows of every
 *   request that was sent by an older table.
 * - `DELETE /routers/ID`: the router has drained and leaves; its lease ends now.
 *
 * A router's id is `router-` and kernel/process-life.ts's name of its process, so that the control plane sees when a router of its
 * machine has ended. A router that lost the control plane asks again every 250 ms.
 *
 * A router refuses a lower revision of the same epoch and an update whose `bootId` is not this boot's.
 */
export interface TableUpdate {
  /** Changes when the table's history does (a restored database); a router then takes a full table only. */
  readonly epoch: string
  readonly revision: number
  /** `/proc/sys/kernel/random/boot_id` of the machine whose addresses these are. */
  readonly bootId: string
  /** Whether `entries` is the whole table, or what changed after the revision asked for. */
  readonly full: boolean
  readonly entries: readonly RouteEntry[]
  /** Environments whose entry is gone. Empty when `full`. */
  readonly removed: readonly string[]
}

/** One environment's route. */
export interface RouteEntry {
  readonly environmentId: string
  /** Host names in lower case, without port. */
  readonly hosts: readonly string[]
  /** The release that these targets run: the label of the metrics. */
  readonly releaseId: string
  readonly revision: number
  /** `hold`: requests wait (bounded) for the next update of this entry instead of being sent. */
  readonly mode: 'serve' | 'hold'
  /** No target: 503 with `Retry-After`. */
  readonly targets: readonly RouteTarget[]
}

export interface RouteTarget {
  readonly instanceId: string
  /** RFC 3339; together with the id it names one life of an instance. */
  readonly startedAt: string
  readonly address:
    | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
    | { readonly kind: 'unix'; readonly path: string }
}

export interface Acknowledgement {
  readonly routerId: string
  readonly epoch: string
  readonly revision: number
}

/** Rate, errors, duration, per release, since the router's start: counters that only grow. */
export interface RouterMetrics {
  readonly routerId: string
  /**
   * Whether this is everything, or only the releases that changed since the last report that was answered with 204. A
   * control plane that has no report of this router answers a partial one with 409, and gets a full one.
   */
  readonly full: boolean
  readonly releases: readonly ReleaseMetrics[]
}

export interface ReleaseMetrics {
  readonly environmentId: string
  readonly releaseId: string
  readonly requests: number
  /**
   * By class: answers of the app (`1xx`, an upgrade, to `5xx`), of the router itself (`router_400`, `router_502`, `router_503`,
   * `router_504`), and `router_499`: the client went away before an answer.
   */
  readonly responses: Readonly<Record<string, number>>
  /** Cumulative counts per upper bound in ms: 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, Infinity as the total. */
  readonly durationBuckets: readonly number[]
  readonly durationSumMs: number
  readonly openRequests: number
  readonly openUpgrades: number
  /** Requests still open per target's instance: what the drain waits for. */
  readonly openByInstance: Readonly<Record<string, number>>
}

/** What a router's id begins with; the rest names its process. */
export const routerIdPrefix = 'router-'
