import type { Clock } from '../kernel/clock.ts'

/** Tells whoever works on an environment in this process that something about it changed. A hint: rows are the truth. */
export interface Wakes {
  /** False when nobody here works on it. */
  wake(environmentId: string): boolean
  isWorkedOn(environmentId: string): boolean
  open(environmentId: string): Wake
}

/** Of one claim. What rings while nobody waits is kept until `clear`, which stands before the rows are read. */
export interface Wake {
  hasRung(): boolean
  clear(): void
  /** Resolves at the next wake, after `ms`, or when aborted; at once when it has rung already. */
  wait(ms: number, signal: AbortSignal): Promise<void>
  close(): void
}

export function createWakes(clock: Clock): Wakes {
  const open = new Map<string, Set<() => void>>()
  return {
    wake(environmentId) {
      const rings = open.get(environmentId)
      for (const ring of rings ?? []) ring()
      return rings !== undefined
    },
    isWorkedOn: (environmentId) => open.has(environmentId),
    open(environmentId) {
      const wake = createWake(clock)
      const rings = open.get(environmentId) ?? new Set()
      open.set(environmentId, rings.add(wake.ring))
      return {
        ...wake,
        close() {
          rings.delete(wake.ring)
          if (rings.size === 0 && open.get(environmentId) === rings) open.delete(environmentId)
        },
      }
    },
  }
}

function createWake(clock: Clock): Omit<Wake, 'close'> & { ring(): void } {
  let rung = false
  let resume: (() => void) | undefined
  return {
    ring() {
      rung = true
      resume?.()
    },
    hasRung: () => rung,
    clear() {
      rung = false
    },
    async wait(ms, signal) {
      if (rung || signal.aborted) return
      const over = new AbortController()
      await new Promise<void>((resolve) => {
        resume = resolve
        clock.wait(ms, AbortSignal.any([signal, over.signal])).then(resolve, resolve)
      })
      resume = undefined
      over.abort()
    },
  }
}
