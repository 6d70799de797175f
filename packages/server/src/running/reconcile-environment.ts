import { EngineUnavailable } from '../engines/engine.ts'
import type { EnvironmentId, InstanceId } from '../kernel/ids.ts'
import type { WorkItem, WorkOutcome } from '../work/work.ts'
import { applyStep } from './apply-step.ts'
import { awaitReadiness } from './await-readiness.ts'
import { type Claim, type ReconcileDeps, readRound } from './claim.ts'
import { type Plan, planSteps, type Step } from './plan-steps.ts'
import type { Round } from './round.ts'

/** While something moves the rows are read again at least this often; it is the truth behind the wakes. */
const pollMs = 250
/** A wait longer than this gives the claim back. */
const patienceMs = 1_000
/** Starts asked of the engine at once, for one environment. */
const startLanes = 4

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
    wake: deps.wakes.open(item.subject),
    background: new Map(),
    lastChecks: new Map(),
    ready: new Map(),
  }
  try {
    return await runRounds(deps, claim)
  } catch (error) {
    if (!(error instanceof EngineUnavailable) || outerSignal.aborted) throw error
    deps.log.warn({ environment: item.subject, error: error.message }, 'the engine does not answer: looking again')
    return { kind: 'again', afterMs: patienceMs }
  } finally {
    claim.wake.close()
    ended.abort()
    await Promise.allSettled([...claim.background.values()].map(({ promise }) => promise))
  }
}

/** A wake that comes while the last round ends is taken here: nobody who got `true` for it tells anybody else. */
async function runRounds(deps: ReconcileDeps, claim: Claim): Promise<WorkOutcome> {
  for (;;) {
    claim.wake.clear()
    const outcome = await runRound(deps, claim)
    if (claim.failure) throw claim.failure.error
    if (outcome !== 'moving' && !claim.wake.hasRung()) return outcome
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
  if (quick.length > 0) {
    forgetReadiness(claim, quick)
    await applyAll(deps, round, quick)
    return 'moving'
  }
  if (claim.background.size === 0) {
    if (plan.settled) return { kind: 'done' }
    const waitMs = plan.lookAgainMs ?? pollMs
    if (waitMs > patienceMs) return { kind: 'again', afterMs: waitMs }
  }
  await claim.wake.wait(Math.min(plan.lookAgainMs ?? pollMs, pollMs), claim.signal)
  return 'moving'
}

/** The engine did not know these any more: what they passed before says nothing of what is started in their place. */
function forgetReadiness(claim: Claim, steps: readonly Step[]): void {
  for (const step of steps) if (step.kind === 'start_again') claim.ready.delete(step.instanceId)
}

/** A stop that runs records the end itself, with its own reason, and has it forgotten. */
function isUnderWay(claim: Claim, step: Step): boolean {
  const isOfStop = step.kind === 'stop' || step.kind === 'record_end' || step.kind === 'forget'
  return isOfStop && claim.background.has(`stop ${step.instanceId}`)
}

/** Starts beside each other; what writes the route one after the other, so that each sees what the one before it did. */
async function applyAll(deps: ReconcileDeps, round: Round, steps: readonly Step[]): Promise<void> {
  const isStart = (step: Step) => step.kind === 'start' || step.kind === 'start_again'
  const starts = steps.filter(isStart).values()
  const others = steps.filter((step) => !isStart(step)).values()
  const lane = async (queue: Iterable<Step>) => {
    for (const step of queue) await applyStep(deps, round, step)
  }
  const lanes = [lane(others), ...Array.from({ length: startLanes }, () => lane(starts))]
  for (const result of await Promise.allSettled(lanes)) if (result.status === 'rejected') throw result.reason
  const changed = steps.flatMap((step) => (changesPresence(step) ? [step.instanceId] : []))
  if (changed.length > 0) await deps.observations.refresh(changed, round.signal)
}

function changesPresence(step: Step): step is Extract<Step, { kind: 'start_again' | 'record_end' | 'forget' }> {
  return step.kind === 'start_again' || step.kind === 'record_end' || step.kind === 'forget'
}

function startBackground(deps: ReconcileDeps, claim: Claim, round: Round, plan: Plan): void {
  const wanted = new Set(plan.probe.map((id) => `probe ${id}`))
  for (const [key, { abort }] of claim.background) if (key.startsWith('probe ') && !wanted.has(key)) abort.abort()
  for (const step of plan.steps) {
    if (step.kind !== 'stop') continue
    inBackground(deps, claim, `stop ${step.instanceId}`, async (signal) => {
      await applyStep(deps, { ...round, signal }, step)
      await deps.observations.refresh([step.instanceId], signal)
    })
  }
  for (const id of plan.probe)
    inBackground(deps, claim, `probe ${id}`, (signal) => probe(deps, claim, round, { id, signal }))
}

async function probe(
  deps: ReconcileDeps,
  claim: Claim,
  { workload, instances }: Round,
  asked: { readonly id: InstanceId; readonly signal: AbortSignal },
): Promise<void> {
  const { id, signal } = asked
  const instance = instances.find((it) => it.id === id)
  if (!instance) return
  const watch = {
    workload,
    instance,
    observe: () => deps.observations.get(id),
    onFailedCheck: (message: string | undefined) => void claim.lastChecks.set(id, message),
  }
  const ready = await awaitReadiness(deps, watch, signal)
  if (ready) claim.ready.set(id, ready)
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
