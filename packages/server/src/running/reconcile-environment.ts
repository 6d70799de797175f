import type { EnvironmentId } from '../kernel/ids.ts'
import type { WorkItem, WorkOutcome } from '../work/work.ts'
import { applyStep, type Round } from './apply-step.ts'
import { awaitReadiness } from './await-readiness.ts'
import type { ObservedInstance } from './instance.ts'
import { instancesOf } from './instance-store.ts'
import type { Observations } from './observations.ts'
import { type Plan, planSteps, type Step } from './plan-steps.ts'
import type { RunningDeps } from './running-deps.ts'
import type { Wakes } from './wakes.ts'

/** What lives as long as one claim of an environment: checks and stops that run beside the rounds. */
interface Claim {
  readonly environmentId: EnvironmentId
  readonly item: WorkItem
  readonly signal: AbortSignal
  /** By `probe <id>` or `stop <id>`. */
  readonly background: Map<string, { readonly promise: Promise<void>; readonly abort: AbortController }>
  readonly lastChecks: Map<string, string>
  failure?: { readonly error: unknown }
}

export interface ReconcileDeps extends RunningDeps {
  readonly observations: Observations
  readonly wakes: Wakes
}

/** While something moves the rows are read again at least this often; it is the truth behind the wakes. */
const pollMs = 250
/** A wait longer than this gives the claim back. */
const patienceMs = 1_000

/**
 * Brings one environment to what is desired: observe, plan, apply, again, until nothing is left to do. Slow steps (a
 * check, a stop with its grace) run beside the rounds, so that a new release does not wait for the end of an old one.
 */
export async function reconcileEnvironment(
  deps: ReconcileDeps,
  item: WorkItem,
  outerSignal: AbortSignal,
): Promise<WorkOutcome> {
  const ended = new AbortController()
  const claim: Claim = {
    environmentId: item.subject as EnvironmentId,
    item,
    signal: AbortSignal.any([outerSignal, ended.signal]),
    background: new Map(),
    lastChecks: new Map(),
  }
  try {
    for (;;) {
      const outcome = await runRound(deps, claim)
      if (claim.failure) throw claim.failure.error
      if (outcome !== 'moving') return outcome
    }
  } finally {
    ended.abort()
    await Promise.allSettled([...claim.background.values()].map(({ promise }) => promise))
    deps.wakes.forget(claim.environmentId)
  }
}

async function runRound(deps: ReconcileDeps, claim: Claim): Promise<WorkOutcome | 'moving'> {
  claim.signal.throwIfAborted()
  const round = await readRound(deps, claim)
  if (!round) return { kind: 'done' }
  const plan = planSteps(round.workload, round.instances, deps.policy, deps.clock.now())
  const due = plan.steps.filter((step) => !isUnderWay(claim, step))
  startBackground(deps, claim, round, plan)
  const quick = due.filter((step) => step.kind !== 'stop')
  const results = await Promise.allSettled(quick.map((step) => applyStep(deps, round, step)))
  for (const result of results) if (result.status === 'rejected') throw result.reason
  await deps.observations.refresh(startedIds(round, quick), claim.signal)
  if (quick.length > 0) return 'moving'
  if (claim.background.size === 0) {
    if (plan.settled) return { kind: 'done' }
    const waitMs = plan.lookAgainMs ?? pollMs
    if (waitMs > patienceMs) return { kind: 'again', afterMs: waitMs }
  }
  await deps.wakes.wait(claim.environmentId, Math.min(plan.lookAgainMs ?? pollMs, pollMs), claim.signal)
  return 'moving'
}

function isUnderWay(claim: Claim, step: Step): boolean {
  return step.kind === 'stop' && claim.background.has(`stop ${step.instanceId}`)
}

/** Ids whose presence a step just changed; new ones come by the engine's hint. */
function startedIds(round: Round, steps: readonly Step[]): string[] {
  const changed = steps.some((step) => step.kind === 'start' || step.kind === 'start_again')
  return changed ? round.instances.filter((i) => i.status === 'starting').map((i) => i.id) : []
}

async function readRound(deps: ReconcileDeps, claim: Claim): Promise<Round | undefined> {
  const workload = await deps.environments.load(claim.environmentId)
  if (!workload) return undefined
  const rows = await instancesOf(deps.db, workload.scope, claim.environmentId)
  const unseen = rows.filter((row) => row.status !== 'ended' && !deps.observations.get(row.id)).map((row) => row.id)
  if (unseen.length > 0) await deps.observations.refresh(unseen, claim.signal)
  const instances = rows.map((row): ObservedInstance => {
    const openRequests = row.status === 'draining' ? deps.routing.openRequests(row.id) : undefined
    const presence = deps.observations.get(row.id)?.state ?? 'absent'
    return { ...row, presence, ...(openRequests !== undefined && { openRequests }) }
  })
  const observed = new Map(
    rows.flatMap((row) => {
      const seen = deps.observations.get(row.id)
      return seen ? [[row.id, seen] as const] : []
    }),
  )
  const fence = { scope: claim.environmentId, number: claim.item.fence }
  return { workload, instances, observed, lastChecks: claim.lastChecks, fence, signal: claim.signal }
}

function startBackground(deps: ReconcileDeps, claim: Claim, round: Round, plan: Plan): void {
  const wanted = new Set(plan.probe.map((id) => `probe ${id}`))
  for (const [key, { abort }] of claim.background) if (key.startsWith('probe ') && !wanted.has(key)) abort.abort()
  for (const step of plan.steps) {
    if (step.kind !== 'stop') continue
    inBackground(deps, claim, `stop ${step.instanceId}`, (signal) => applyStep(deps, { ...round, signal }, step))
  }
  for (const id of plan.probe) {
    const instance = round.instances.find((i) => i.id === id)
    if (!instance) continue
    const watch = {
      workload: round.workload,
      instance,
      observe: () => deps.observations.get(id),
      onFailedCheck: (message: string) => void claim.lastChecks.set(id, message),
    }
    inBackground(deps, claim, `probe ${id}`, (signal) => awaitReadiness(deps, watch, signal))
  }
}

function inBackground(
  deps: ReconcileDeps,
  claim: Claim,
  key: string,
  body: (signal: AbortSignal) => Promise<void>,
): void {
  if (claim.background.has(key)) return
  const abort = new AbortController()
  const signal = AbortSignal.any([claim.signal, abort.signal])
  const promise = body(signal)
    .catch((error: unknown) => {
      if (!signal.aborted) claim.failure = { error }
    })
    .finally(() => {
      claim.background.delete(key)
      deps.wakes.wake(claim.environmentId)
    })
  claim.background.set(key, { promise, abort })
}
