import { findApp, findEnvironment } from '../apps/index.ts'
import type { ExitStatus, Fence, TaskSpec } from '../engines/engine.ts'
import type { DeployId } from '../kernel/ids.ts'
import { maxStreamBytesOf } from '../logs/index.ts'
import { type ReleaseRow, releaseName } from '../releases/index.ts'
import type { DeliveryRoom } from './delivery-deps.ts'
import { streamOf } from './deploy.ts'
import type { DeployEvent } from './deploy-state.ts'
import type { DeployJob } from './record-deploy-event.ts'

/** The release phase: the command of the process type `release`, run once as a task before the switch. */

const graceMs = 5_000

/** Engines know tasks by ids that the caller picks: asking again after a crash finds the same task. */
function releaseTaskId(deployId: DeployId): string {
  return `tsk-${deployId.slice('dep-'.length)}`
}

/** `undefined` for a release without a release phase. */
export async function runReleasePhase(
  room: DeliveryRoom,
  job: DeployJob,
  release: ReleaseRow,
  signal: AbortSignal,
): Promise<ExitStatus | undefined> {
  const command = release.processTypes.release?.command
  if (command === undefined) return undefined
  const spec = await releaseTask(room, job, { release, command })
  await room.engine.startTask(spec, fenceOf(job), signal)
  return await room.engine.waitForTask(spec.id, signal)
}

/** Leaves no process of it, and no record in the engine. */
export async function endReleasePhase(room: DeliveryRoom, job: DeployJob): Promise<void> {
  const id = releaseTaskId(job.deploy.id)
  await room.engine.stop(id, { graceMs }, fenceOf(job), job.signal)
  await room.engine.forget(id, fenceOf(job), job.signal)
}

function fenceOf(job: DeployJob): Fence {
  return { scope: job.deploy.id, number: job.fence }
}

async function releaseTask(
  room: DeliveryRoom,
  job: DeployJob,
  { release, command }: { readonly release: ReleaseRow; readonly command: string },
): Promise<TaskSpec> {
  const { scope, deploy } = job
  const artifact = await room.builds.artifact(room.db, scope, release.artifactId)
  if (!artifact) throw new Error(`release ${release.id} has no artifact`)
  const app = await findApp(room.db, scope, deploy.appId)
  const environment = await findEnvironment(room.db, scope, deploy.environmentId)
  const config = release.configId ? await room.apps.readConfig(room.db, scope, release.configId) : {}
  const stream = streamOf(deploy)
  return {
    id: releaseTaskId(deploy.id),
    labels: { app: deploy.appId, environment: deploy.environmentId, team: deploy.teamId, deploy: deploy.id },
    command: { kind: 'shell', line: command },
    env: {
      NODE_ENV: 'production',
      ...artifact.runEnv,
      ...config,
      GANTRY_APP: app.name,
      GANTRY_ENVIRONMENT: environment.name,
      GANTRY_RELEASE: releaseName(release.version),
      ...(release.commitSha && { SOURCE_COMMIT: release.commitSha }),
    },
    runAs: { uid: app.runUid, gid: app.runUid },
    limits: { openFiles: 65_536 },
    output: { stream, source: 'release', maxStreamBytes: maxStreamBytesOf(stream) },
    place: { kind: 'artifact', artifact: { kind: artifact.kind, path: artifact.location, links: artifact.links } },
    timeoutMs: room.limits.releasePhaseMs,
    maxOutputBytes: room.limits.releasePhaseBytes,
  }
}

/** Why a release phase ended badly, with its last lines; `undefined` when it ended well. */
export function releasePhaseFailure(
  exit: ExitStatus,
  lastLines: readonly string[],
  limitMs: number,
): DeployEvent | undefined {
  if (exit.reason === 'exit' && exit.code === 0) return undefined
  const output = lastLines.length > 0 ? ` Its last output:\n${lastLines.map((line) => `  ${line}`).join('\n')}` : ''
  if (exit.reason === 'lost') {
    const message =
      'Gantry or the machine stopped while the release phase ran, and nobody saw its end. It is not run twice by itself: check what it did, then retry the deploy.'
    return { name: 'fail', code: 'release_phase_interrupted', message: message + output }
  }
  if (exit.reason === 'timeout') {
    const message = `The release phase was stopped after ${Math.round(limitMs / 1000)} s.`
    return { name: 'fail', code: 'release_phase_timed_out', message: message + output }
  }
  return { name: 'fail', code: 'release_phase_failed', message: `The release phase ${howItEnded(exit)}.${output}` }
}

function howItEnded(exit: ExitStatus): string {
  if (exit.reason === 'exit') return `ended with exit code ${exit.code}`
  if (exit.reason === 'signal') return `was ended by ${exit.signal ?? 'a signal'}`
  if (exit.reason === 'output') return 'was stopped because it wrote too much output'
  if (exit.reason === 'memory') return 'ran out of memory'
  if (exit.reason === 'start_failed') return `could not be started: ${exit.message ?? 'unknown reason'}`
  return 'was stopped'
}
