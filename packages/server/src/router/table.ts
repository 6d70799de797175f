import type { ReleaseMetrics, RouteEntry, RouteTarget, TableUpdate } from './protocol.ts'
import { ReleaseCounters } from './release-counters.ts'
import { Target, type TargetDeps } from './target.ts'

/** Somebody who waits for the next update of a route. */
export interface HeldRequest {
  onRouteChanged(): void
}

/** One environment's route as the router works with it. */
export class Route {
  entry: RouteEntry
  targets: readonly Target[] = []
  counters: ReleaseCounters
  readonly held = new Set<HeldRequest>()
  #next = 0

  constructor(entry: RouteEntry, counters: ReleaseCounters) {
    this.entry = entry
    this.counters = counters
  }

  /**
   * The target with the fewest open requests, in turn among equals; one that lately refused a connection only if there
   * is no other. `except` are left out.
   */
  choose(except: readonly Target[]): Target | undefined {
    const { targets } = this
    const first = this.#next++
    let best: Target | undefined
    for (let i = 0; i < targets.length; i++) {
      const target = targets[(first + i) % targets.length]
      if (!target || target.isFull || except.includes(target)) continue
      if (!best || isBetter(target, best)) best = target
    }
    return best
  }
}

function isBetter(a: Target, b: Target): boolean {
  if (a.isAvoided !== b.isAvoided) return b.isAvoided
  return a.open < b.open
}

/** A position of the table: what a router has applied. */
export interface TablePosition {
  readonly epoch: string
  readonly revision: number
}

/**
 * Whether an update may be applied: of this boot, and newer than what is known. Another epoch is another history and
 * must come whole.
 */
export function judgeUpdate(known: TablePosition | undefined, update: TableUpdate, bootId: string): 'apply' | string {
  if (update.bootId !== bootId) return 'it is of another boot of the machine'
  if (known?.epoch !== update.epoch) return update.full ? 'apply' : 'it is a part of another history'
  if (update.revision < known.revision) return `revision ${update.revision} is lower than ${known.revision}`
  return 'apply'
}

/** How long the counters of a release that is out of the table are kept: it may come back. */
const keepCountersMs = 600_000

export interface RoutingTable {
  readonly position: TablePosition | undefined
  find(host: string): Route | undefined
  /** Applies an update that `judgeUpdate` let through, and wakes the requests that were held on what it changes. */
  apply(update: TableUpdate): void
  /** Every entry, for the saved table. */
  entries(): readonly RouteEntry[]
  /** What was counted: of every release that got a request, or of those that changed since the last call. */
  takeReport(which: 'all' | 'changed'): readonly ReleaseMetrics[]
  /** Ends stale connections and forgets old counters. */
  sweep(): void
  /** Ends the connections that are kept for further requests: they would keep a drained router alive until the apps end them. */
  close(): void
}

interface State extends TargetDeps {
  position: TablePosition | undefined
  readonly routes: Map<string, Route>
  readonly byHost: Map<string, Route>
  /** Targets in the table, by instance and start. */
  readonly targets: Map<string, Target>
  readonly counters: Map<string, ReleaseCounters>
  readonly changed: Set<ReleaseCounters>
  /** Counters of releases that are out of the table, and since when in ms. */
  readonly former: Map<ReleaseCounters, number>
}

export function createTable(deps: Omit<TargetDeps, 'withIdle'>): RoutingTable {
  const state: State = {
    ...deps,
    withIdle: new Set(),
    position: undefined,
    routes: new Map(),
    byHost: new Map(),
    targets: new Map(),
    counters: new Map(),
    changed: new Set(),
    former: new Map(),
  }
  return {
    get position() {
      return state.position
    },
    find: (host) => state.byHost.get(host),
    apply: (update) => applyUpdate(state, update),
    entries: () => [...state.routes.values()].map((route) => route.entry),
    takeReport: (which) => takeReport(state, which),
    sweep: () => sweepAll(state),
    close: () => {
      for (const target of [...state.withIdle]) target.endIdle()
    },
  }
}

function applyUpdate(state: State, update: TableUpdate): void {
  const isNewHistory = state.position?.epoch !== update.epoch
  const woken = new Set<HeldRequest>()
  const named = new Set(update.entries.map((entry) => entry.environmentId))
  const gone = update.full ? [...state.routes.keys()].filter((id) => !named.has(id)) : update.removed
  for (const id of gone) removeRoute(state, id, woken)
  for (const entry of update.entries) {
    const known = state.routes.get(entry.environmentId)
    if (known && !isNewHistory && known.entry.revision >= entry.revision) continue
    setRoute(state, entry, woken)
  }
  state.position = { epoch: update.epoch, revision: update.revision }
  for (const request of woken) request.onRouteChanged()
}

function setRoute(state: State, entry: RouteEntry, woken: Set<HeldRequest>): void {
  const counters = countersFor(state, entry)
  const route = state.routes.get(entry.environmentId) ?? new Route(entry, counters)
  forgetHosts(state, route)
  state.routes.set(entry.environmentId, route)
  for (const host of entry.hosts) state.byHost.set(host, route)
  if (route.counters !== counters) state.former.set(route.counters, state.nowMs())
  state.former.delete(counters)
  route.entry = entry
  route.counters = counters
  replaceTargets(state, route, entry.targets)
  takeHeld(route, woken)
}

function removeRoute(state: State, environmentId: string, woken: Set<HeldRequest>): void {
  const route = state.routes.get(environmentId)
  if (!route) return
  forgetHosts(state, route)
  state.routes.delete(environmentId)
  state.former.set(route.counters, state.nowMs())
  replaceTargets(state, route, [])
  takeHeld(route, woken)
}

function forgetHosts(state: State, route: Route): void {
  for (const host of route.entry.hosts) if (state.byHost.get(host) === route) state.byHost.delete(host)
}

function takeHeld(route: Route, woken: Set<HeldRequest>): void {
  for (const request of route.held) woken.add(request)
  route.held.clear()
}

function replaceTargets(state: State, route: Route, wanted: readonly RouteTarget[]): void {
  const before = route.targets
  route.targets = wanted.map((target) => {
    const known = state.targets.get(keyOf(target))
    if (known && isSameAddress(known.address, target.address)) return known
    const made = new Target(target, route.counters, state)
    state.targets.set(keyOf(target), made)
    return made
  })
  for (const target of before) if (!route.targets.includes(target)) retire(state, target)
}

function retire(state: State, target: Target): void {
  if (state.targets.get(keyOf(target)) === target) state.targets.delete(keyOf(target))
  target.retire()
}

function isSameAddress(a: RouteTarget['address'], b: RouteTarget['address']): boolean {
  if (a.kind === 'unix' || b.kind === 'unix')
    return a.kind === b.kind && 'path' in a && 'path' in b && a.path === b.path
  return a.host === b.host && a.port === b.port
}

function keyOf(target: Pick<RouteTarget, 'instanceId' | 'startedAt'>): string {
  return `${target.instanceId} ${target.startedAt}`
}

function countersFor(state: State, entry: RouteEntry): ReleaseCounters {
  const known = state.counters.get(entry.releaseId)
  if (known) return known
  const made = new ReleaseCounters(entry.environmentId, entry.releaseId, state.changed)
  state.counters.set(entry.releaseId, made)
  return made
}

function takeReport(state: State, which: 'all' | 'changed'): ReleaseMetrics[] {
  const wanted =
    which === 'all' ? [...state.counters.values()].filter((counters) => counters.isUsed) : [...state.changed]
  state.changed.clear()
  return wanted.map((counters) => counters.report())
}

function sweepAll(state: State): void {
  const now = state.nowMs()
  for (const target of state.withIdle) target.sweep()
  for (const [counters, since] of state.former) {
    if (counters.isOpen || now - since < keepCountersMs) continue
    state.former.delete(counters)
    state.counters.delete(counters.releaseId)
  }
}
