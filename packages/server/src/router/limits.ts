/** Every bound of the router. Times in ms. */
export interface RouterLimits {
  /** How often time limits are looked at: no limit is kept more exactly than this. */
  readonly tickMs: number
  /** Bytes of a request's or response's head. */
  readonly maxHeadBytes: number
  readonly maxFields: number
  readonly maxConnections: number
  /** From the first byte of a head, or from the connection's start, to the head's end. */
  readonly requestHeadMs: number
  /** A client's connection between two requests. */
  readonly clientIdleMs: number
  readonly connectMs: number
  /** From the last byte sent of a request to the first of its response. */
  readonly responseHeadMs: number
  /** Without progress of a body in either direction. */
  readonly bodyIdleMs: number
  /** How long and how many requests of one route wait while it is held. */
  readonly holdMs: number
  readonly maxHeld: number
  /** For the client to take the end of a connection that the router closes. */
  readonly lingerMs: number
  /** From SIGTERM to the end. */
  readonly drainMs: number
  /** Connections to one instance: all, and those kept for the next request. */
  readonly maxPerInstance: number
  readonly maxIdlePerInstance: number
}

export const defaultLimits: RouterLimits = {
  tickMs: 1000,
  maxHeadBytes: 16 * 1024,
  maxFields: 100,
  maxConnections: 10_000,
  requestHeadMs: 30_000,
  clientIdleMs: 75_000,
  connectMs: 5000,
  responseHeadMs: 60_000,
  bodyIdleMs: 300_000,
  holdMs: 30_000,
  maxHeld: 1000,
  lingerMs: 5000,
  drainMs: 30_000,
  maxPerInstance: 8192,
  maxIdlePerInstance: 256,
}

/** Limits that the environment may set, in seconds. */
const settings = {
  GANTRY_ROUTER_RESPONSE_TIMEOUT: 'responseHeadMs',
  GANTRY_ROUTER_BODY_IDLE_TIMEOUT: 'bodyIdleMs',
  GANTRY_ROUTER_HOLD: 'holdMs',
  GANTRY_ROUTER_DRAIN: 'drainMs',
} as const satisfies Readonly<Record<string, keyof RouterLimits>>

/** Throws when a setting is no positive number. */
export function readLimits(env: Readonly<Record<string, string | undefined>>): RouterLimits {
  const limits: { -readonly [K in keyof RouterLimits]: RouterLimits[K] } = { ...defaultLimits }
  for (const [name, limit] of Object.entries(settings)) {
    const text = env[name]
    if (text === undefined) continue
    const seconds = Number(text)
    if (!(seconds > 0)) throw new Error(`${name} must be a positive number of seconds, not ${JSON.stringify(text)}`)
    limits[limit] = seconds * 1000
  }
  return limits
}

/** Descriptors for everything that is no connection of a client or to an app. */
const otherDescriptors = 200

/** No more clients than there are descriptors for: each needs one of its own and one to an app. `text`: /proc/self/limits. */
export function fitDescriptors(limits: RouterLimits, text: string): RouterLimits {
  const descriptors = Number(/^Max open files +(\d+)/m.exec(text)?.[1] ?? Number.POSITIVE_INFINITY)
  const fitting = Math.max(1, Math.floor((descriptors - otherDescriptors) / 2))
  return { ...limits, maxConnections: Math.min(limits.maxConnections, fitting) }
}
