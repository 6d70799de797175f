import type { Transaction } from '../db/database.ts'
import type { InstanceId } from '../kernel/ids.ts'
import type { RouteTarget } from '../router/protocol.ts'
import { countCrashes, describeExit } from './end-reason.ts'
import { type Instance, instanceName, isInService, type ObservedInstance } from './instance.ts'
import {
  endInstance,
  instancesOf,
  judgeHealth,
  markReady,
  markStopping,
  putInService,
  quarantinePort,
  restartBoot,
  startDraining,
} from './instance-store.ts'
import type { Step } from './plan-steps.ts'
import { describeRolloutFailure } from './rollout-failure.ts'
import { inTransaction, type Round } from './round.ts'
import { outputSource, outputStream, type RunningDeps } from './running-deps.ts'
import { askEngine, startInstance } from './start-instance.ts'

type StepOf<K extends Step['kind']> = Extract<Step, { kind: K }>
type Executors = { [K in Step['kind']]: (deps: RunningDeps, round: Round, step: StepOf<K>) => Promise<void> }

const executors: Executors = {
  start: (deps, round, step) => startInstance(deps, round, step),
  start_again: startAgain,
  mark_ready: (deps, round, step) =>
    inTransaction(deps, round, (tx) => markReady(tx, round.workload.scope, step.instanceId, { at: deps.clock.now() })),
  record_end: recordEnd,
  forget: (deps, round, step) => deps.engine.forget(step.instanceId, round.fence, round.signal),
  judge_health: judge,
  fail_rollout: failRollout,
  route: changeRoute,
  remove_route: removeRoute,
  stop: stopInstance,
}

export function applyStep<K extends Step['kind']>(deps: RunningDeps, round: Round, step: StepOf<K>): Promise<void> {
  const execute = executors[step.kind as K]
  return execute(deps, round, step)
}

function instanceOf(round: Round, id: InstanceId): ObservedInstance {
  const found = round.instances.find((instance) => instance.id === id)
  if (!found) throw new Error(`a step names the instance ${id}, which is not of this round`)
  return found
}

async function startAgain(deps: RunningDeps, round: Round, step: StepOf<'start_again'>): Promise<void> {
  const instance = instanceOf(round, step.instanceId)
  await inTransaction(deps, round, (tx) => restartBoot(tx, round.workload.scope, instance.id, deps.clock.now()))
  await askEngine(deps, round, instance)
}

async function recordEnd(deps: RunningDeps, round: Round, step: StepOf<'record_end'>): Promise<void> {
  const instance = instanceOf(round, step.instanceId)
  const { scope, liveReleaseId } = round.workload
  const exit = round.observed.get(instance.id)?.exit
  const at = deps.clock.now()
  const strangerPort = await portOfStranger(deps, instance)
  const crashes = strangerPort === undefined ? countCrashes(instance, exit, at) : instance.crashes
  const why = strangerPort === undefined ? describeExit(exit) : `another process has its port ${strangerPort}`
  const reason = instance.endReason ?? why
  await inTransaction(deps, round, async (tx) => {
    await endInstance(tx, scope, { instance, reason, crashes, at })
    aroundCommit(deps, tx, 'instance.end')
    if (strangerPort !== undefined) await quarantinePort(tx, strangerPort, at)
    const isTarget = instance.processType === 'web' && isInService(instance)
    if (isTarget) await rewriteRoute(deps, tx, round, { mode: 'serve', releaseId: liveReleaseId })
  })
  const isCrash = crashes > 0 && strangerPort === undefined && instance.status !== 'stopping'
  if (isCrash) say(deps, instance, `${instanceName(instance)} crashed: ${reason}`)
  await deps.engine.forget(instance.id, round.fence, round.signal)
}

/**
 * The port of one that ended before it was ever well, when somebody else listens there now: that is why, as far as anybody
 * can tell, and the next one gets another port.
 */
async function portOfStranger(deps: RunningDeps, instance: ObservedInstance): Promise<number | undefined> {
  const { address } = instance
  if (instance.status !== 'starting' || instance.healthyAt || instance.presence !== 'ended') return undefined
  if (address?.kind !== 'tcp' || !deps.engine.capabilities.assignsPorts) return undefined
  return (await deps.isPortFree(address.port)) ? undefined : address.port
}

async function judge(deps: RunningDeps, round: Round, step: StepOf<'judge_health'>): Promise<void> {
  const { scope, liveReleaseId } = round.workload
  const judged = { ids: step.instanceIds, failuresAllowed: deps.policy.failuresAllowed }
  await inTransaction(deps, round, async (tx) => {
    await judgeHealth(tx, scope, judged)
    await rewriteRoute(deps, tx, round, { mode: 'serve', releaseId: liveReleaseId })
  })
}

async function failRollout(deps: RunningDeps, round: Round, step: StepOf<'fail_rollout'>): Promise<void> {
  const instance = instanceOf(round, step.instanceId)
  const stream = outputStream(instance.appId, instance.environmentId)
  const listeners = step.cause === 'not_ready' ? await deps.engine.listeners(instance.id, round.signal) : []
  const since = instance.createdAt.toISOString()
  const source = outputSource(instance, round.workload.desired?.version ?? 0)
  const lines = await deps.logs.last(stream, lastLinesRead, source)
  const failure = describeRolloutFailure({
    instance,
    cause: step.cause,
    listeners,
    lastCheck: round.lastChecks.get(instance.id),
    bootLimitSeconds: deps.policy.bootLimitMs / 1000,
    lastLines: lines.filter((line) => line.at >= since).map((line) => line.message),
  })
  await inTransaction(deps, round, async (tx) => {
    await deps.environments.markRolloutFailed(tx, round.workload.environmentId, failure)
    await deps.rollouts.rolloutChanged(tx, round.workload.environmentId)
    aroundCommit(deps, tx, 'rollout_failure')
  })
}

const lastLinesRead = 40

async function changeRoute(deps: RunningDeps, round: Round, step: StepOf<'route'>): Promise<void> {
  const { workload } = round
  await inTransaction(deps, round, async (tx) => {
    if (step.goLive && !(await deps.environments.markLive(tx, workload.environmentId, step.goLive))) return
    for (const id of step.serve) {
      const ready = round.ready.get(id)
      if (ready) await markReady(tx, workload.scope, id, ready)
    }
    await putInService(tx, workload.scope, step.serve)
    const releaseId = step.goLive ?? workload.liveReleaseId
    const revision = await rewriteRoute(deps, tx, round, { mode: step.mode, releaseId, without: new Set(step.drain) })
    await startDraining(tx, workload.scope, { ids: step.drain, revision, at: deps.clock.now() })
    if (step.goLive) await deps.rollouts.rolloutChanged(tx, workload.environmentId)
    aroundCommit(deps, tx, 'route')
  })
}

async function removeRoute(deps: RunningDeps, round: Round, step: StepOf<'remove_route'>): Promise<void> {
  const { workload } = round
  await inTransaction(deps, round, async (tx) => {
    const revision = await deps.routing.removeRoute(tx, workload.environmentId)
    await startDraining(tx, workload.scope, { ids: step.drain, revision, at: deps.clock.now() })
    await deps.environments.clearLive(tx, workload.environmentId)
  })
}

/**
 * Writes the route from the rows, in the transaction that changed them: its targets are exactly the `web` instances in
 * service, and of those only the healthy ones as long as there are any.
 */
async function rewriteRoute(
  deps: RunningDeps,
  tx: Transaction,
  round: Round,
  change: { mode: 'serve' | 'hold'; releaseId: string | undefined; without?: ReadonlySet<string> },
): Promise<number> {
  const { workload } = round
  const { mode, releaseId = '', without } = change
  const rows = await instancesOf(tx, workload.scope, workload.environmentId)
  const inService = rows.filter((i) => i.processType === 'web' && isInService(i) && !without?.has(i.id))
  const healthy = inService.filter((i) => i.status === 'healthy')
  const targets = (healthy.length > 0 ? healthy : inService).flatMap(targetOf)
  return await deps.routing.setRoute(tx, workload.environmentId, { hosts: workload.hosts, releaseId, mode, targets })
}

function targetOf(instance: Instance): RouteTarget[] {
  if (!instance.address) return []
  const startedAt = (instance.startedAt ?? instance.createdAt).toISOString()
  return [{ instanceId: instance.id, startedAt, address: instance.address }]
}

async function stopInstance(deps: RunningDeps, round: Round, step: StepOf<'stop'>): Promise<void> {
  const instance = instanceOf(round, step.instanceId)
  const { scope } = round.workload
  if (instance.drainRevision !== undefined) await deps.routing.acknowledged(instance.drainRevision, round.signal)
  if (step.ifIdle && deps.routing.openRequests(instance.id) !== 0) return // counted before the switch was acknowledged
  // one that was being stopped before has its count already
  const before = instance.status === 'stopping' ? instance.crashes : 0
  const crashes = step.isCrash ? instance.crashes + 1 : before
  const { id } = instance
  await inTransaction(deps, round, (tx) => markStopping(tx, scope, { id, reason: step.reason, crashes }))
  deps.failpoint('instance.stop.before')
  await deps.engine.stop(id, { graceMs: stopGraceMs }, round.fence, round.signal)
  deps.failpoint('instance.stop.after')
  const at = deps.clock.now()
  await inTransaction(deps, round, async (tx) => {
    await endInstance(tx, scope, { instance, reason: step.reason, crashes, at })
    aroundCommit(deps, tx, 'instance.end')
  })
  if (step.isCrash) say(deps, instance, `${instanceName(instance)} was stopped: ${step.reason}`)
  await deps.engine.forget(instance.id, round.fence, round.signal)
}

const stopGraceMs = 10_000

function aroundCommit(deps: RunningDeps, tx: Transaction, step: 'instance.end' | 'route' | 'rollout_failure'): void {
  deps.failpoint(`${step}.before`)
  tx.afterCommit(() => deps.failpoint(`${step}.after`))
}

function say(deps: RunningDeps, instance: Instance, line: string): void {
  deps.logs.append(outputStream(instance.appId, instance.environmentId), 'gantry', [line])
}
