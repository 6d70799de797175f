import type { Queryable } from '../db/database.ts'
import type { Fence, InstanceSpec } from '../engines/engine.ts'
import type { InstanceId } from '../kernel/ids.ts'
import type { Instance } from './instance.ts'
import { firstPort, insertInstance, portCount, quarantinePort, takePort } from './instance-store.ts'
import { outputSource, outputStream, type RunningDeps } from './running-deps.ts'
import type { Workload, WorkloadRelease } from './workload.ts'

export interface Slot {
  readonly processType: string
  readonly slot: number
  readonly crashes: number
}

/** Writes the intent of one instance, with its port where it needs one, and asks the engine for it. */
export async function startInstance(
  deps: RunningDeps,
  workload: Workload,
  slot: Slot,
  work: { fence: Fence; signal: AbortSignal },
): Promise<void> {
  const release = workload.desired
  if (!release) return
  const instance = await writeIntent(deps, workload, release, slot)
  await askEngine(deps, workload, instance, work)
}

/** In one transaction with its port, which is named before the instance's row is there: the reference is checked at the end. */
async function writeIntent(
  deps: RunningDeps,
  workload: Workload,
  release: WorkloadRelease,
  slot: Slot,
): Promise<Instance> {
  const needsPort = slot.processType === 'web' && deps.engine.capabilities.assignsPorts
  return await deps.db.transaction(async (tx) => {
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
      createdAt: deps.clock.now(),
      ...(port !== undefined && { address: { kind: 'tcp', host: '127.0.0.1', port } }),
    }
    await insertInstance(tx, workload.scope, instance)
    deps.failpoint('instance.intent.before')
    tx.afterCommit(() => deps.failpoint('instance.intent.after'))
    return instance
  })
}

/** Asks the engine for an instance whose row is there. Asking twice is one instance. */
export async function askEngine(
  deps: RunningDeps,
  workload: Workload,
  instance: Instance,
  work: { fence: Fence; signal: AbortSignal },
): Promise<void> {
  const release = workload.desired
  if (release?.id !== instance.releaseId) return
  const config = release.configId ? await deps.environments.config(workload, release.configId) : {}
  deps.failpoint('instance.start.before')
  await deps.engine.start(instanceSpec(deps, workload, { release, instance, config }), work.fence, work.signal)
  deps.failpoint('instance.start.after')
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
