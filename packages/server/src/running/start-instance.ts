import type { Queryable } from '../db/database.ts'
import { isDatabaseUnavailable } from '../db/open-database.ts'
import { EngineUnavailable, Fenced, type InstanceSpec } from '../engines/engine.ts'
import { messageOf } from '../kernel/errors.ts'
import type { InstanceId, ReleaseId } from '../kernel/ids.ts'
import type { Instance } from './instance.ts'
import { endInstance, firstPort, insertInstance, portCount, quarantinePort, takePort } from './instance-store.ts'
import { inTransaction, type Round } from './round.ts'
import { outputSource, outputStream, type RunningDeps } from './running-deps.ts'
import type { Workload, WorkloadRelease } from './workload.ts'

export interface Slot {
  /** Absent: the desired one. */
  readonly releaseId?: ReleaseId
  readonly processType: string
  readonly slot: number
  readonly crashes: number
}

/** Writes the intent of one instance, with its port where it needs one, and asks the engine for it. */
export async function startInstance(deps: RunningDeps, round: Round, slot: Slot): Promise<void> {
  const { desired } = round.workload
  const release = slot.releaseId === undefined ? desired : releaseOf(round.workload, slot.releaseId)
  if (!release) return
  const instance = await writeIntent(deps, round, release, slot)
  await askEngine(deps, round, instance)
}

/** In one transaction with its port, which is named before the instance's row is there: the reference is checked at the end. */
async function writeIntent(deps: RunningDeps, round: Round, release: WorkloadRelease, slot: Slot): Promise<Instance> {
  const { workload } = round
  const needsPort = slot.processType === 'web' && deps.engine.capabilities.assignsPorts
  return await inTransaction(deps, round, async (tx) => {
    const id = deps.newId('instance')
    const port = needsPort ? await findPort(deps, tx, id) : undefined
    const instance: Instance = {
      id,
      teamId: workload.scope.team,
      appId: workload.appId,
      environmentId: workload.environmentId,
      releaseId: release.id,
      processType: slot.processType,
      slot: slot.slot,
      generation: workload.generation,
      status: 'starting',
      crashes: slot.crashes,
      failedChecks: 0,
      createdAt: deps.clock.now(),
      ...(port !== undefined && { address: { kind: 'tcp', host: '127.0.0.1', port } }),
    }
    await insertInstance(tx, workload.scope, instance)
    deps.failpoint('instance.intent.before')
    tx.afterCommit(() => deps.failpoint('instance.intent.after'))
    return instance
  })
}

/**
 * Asks the engine for an instance whose row is there. Asking twice is one instance. One that cannot be started ends, with
 * what is wrong as its reason: trying for ever would hang its deploy.
 */
export async function askEngine(deps: RunningDeps, round: Round, instance: Instance): Promise<void> {
  const { workload, fence, signal } = round
  const release = releaseOf(workload, instance.releaseId)
  if (!release) return
  try {
    const config = release.configId ? await deps.environments.config(workload, release.configId) : {}
    deps.failpoint('instance.start.before')
    await deps.engine.start(instanceSpec(deps, workload, { release, instance, config }), fence, signal)
    deps.failpoint('instance.start.after')
  } catch (error) {
    if (signal.aborted || isTryAgain(error)) throw error
    deps.log.error({ instance: instance.id, err: error }, 'an instance cannot be started')
    const end = { reason: `could not be started: ${messageOf(error)}`, crashes: instance.crashes + 1 }
    const at = deps.clock.now()
    await inTransaction(deps, round, (tx) => endInstance(tx, workload.scope, { instance, ...end, at }))
  }
}

function releaseOf({ desired, live }: Workload, id: ReleaseId): WorkloadRelease | undefined {
  return [desired, live].find((release) => release?.id === id)
}

function isTryAgain(error: unknown): boolean {
  return error instanceof EngineUnavailable || error instanceof Fenced || isDatabaseUnavailable(error)
}

function instanceSpec(
  deps: RunningDeps,
  workload: Workload,
  parts: { release: WorkloadRelease; instance: Instance; config: Readonly<Record<string, string>> },
): InstanceSpec {
  const { release, instance, config } = parts
  return {
    id: instance.id,
    labels: { app: workload.appId, environment: workload.environmentId, team: workload.scope.team },
    command: { kind: 'shell', line: release.processTypes[instance.processType]?.command ?? '' },
    env: {
      NODE_ENV: 'production',
      ...release.runEnv,
      ...config,
      ...(instance.address?.kind === 'tcp' && { PORT: String(instance.address.port) }),
      GANTRY_APP: workload.appName,
      GANTRY_ENVIRONMENT: workload.environmentName,
      GANTRY_RELEASE: `v${release.version}`,
      ...(release.commitSha && { SOURCE_COMMIT: release.commitSha }),
    },
    runAs: { uid: workload.runUid, gid: workload.runUid },
    limits: { openFiles: 65_536 },
    output: {
      stream: outputStream(workload.appId, workload.environmentId),
      source: outputSource(instance, release.version),
      maxStreamBytes: deps.maxLogBytes,
    },
    artifact: release.artifact,
    address: instance.address,
  }
}

const tries = 64

async function findPort(deps: RunningDeps, tx: Queryable, id: InstanceId): Promise<number> {
  for (let i = 0; i < tries; i++) {
    const port = firstPort + Math.floor(deps.random() * portCount)
    if (!(await takePort(tx, port, id, deps.clock.now()))) continue
    if (await deps.isPortFree(port)) return port
    await quarantinePort(tx, port, deps.clock.now())
  }
  throw new Error(`no free port among ${tries} tried of ${firstPort}-${firstPort + portCount - 1}`)
}
