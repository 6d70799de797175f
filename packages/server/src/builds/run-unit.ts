import type { BuildStep } from '../builders/builder.ts'
import type { ExitStatus, Fence, TaskSpec } from '../engines/engine.ts'
import { UserError } from '../kernel/errors.ts'
import { type BuildJob, knownTasks } from './build-job.ts'
import { stepCommand, stepEnvironment } from './step-environment.ts'
import { formatSeconds, isInterrupted, isSuccess, stepFailure } from './step-failure.ts'

/** Steps that run in one folder, in order. What is interrupted is done again from the start, once. */
export interface Unit {
  /** Names the tasks, together with the build's id. */
  readonly tag: string
  readonly folder: string
  readonly steps: readonly BuildStep[]
  /** Makes the folder as the first step finds it, whatever was there. */
  readonly prepare: () => Promise<void>
}

const attempts = 2
const linesRead = 200

/** Throws `UserError` when a step fails, and `build_interrupted` when the machine will not let it come to an end. */
export async function runUnit(job: BuildJob, unit: Unit): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const firstTask = taskId(job, unit, 0, attempt)
    if (!(await knownTasks(job)).has(firstTask)) await unit.prepare()
    if ((await runSteps(job, unit, attempt)) === 'done') return
    job.say('The build was interrupted; it begins again.')
  }
  throw new UserError(
    'build_interrupted',
    'The build was interrupted twice by the machine or by Gantry. Retry the deploy.',
  )
}

async function runSteps(job: BuildJob, unit: Unit, attempt: number): Promise<'done' | 'interrupted'> {
  for (const [index, step] of unit.steps.entries()) {
    const startedMs = job.deps.clock.monotonicMs()
    job.head(step.name)
    await job.deps.output.flush()
    const exit = await runTask(job, unit, taskId(job, unit, index, attempt), step)
    job.deps.failpoint('build.step')
    job.signal.throwIfAborted()
    if (isInterrupted(exit)) return 'interrupted'
    if (!isSuccess(exit)) throw stepFailure(step, exit, await lastLines(job), job.deps.limits)
    job.say(`Done in ${formatSeconds(job.deps.clock.monotonicMs() - startedMs)}.`)
  }
  return 'done'
}

function taskId(job: BuildJob, unit: Unit, step: number, attempt: number): string {
  return `${job.build.id}-${unit.tag}-${step}-${attempt}`
}

async function runTask(job: BuildJob, unit: Unit, id: string, step: BuildStep): Promise<ExitStatus> {
  const { deps, signal } = job
  await deps.engine.startTask(taskSpec(job, unit, id, step), fenceOf(job), signal)
  return await deps.engine.waitForTask(id, signal)
}

export function fenceOf(job: { readonly build: { readonly id: string }; readonly fence: number }): Fence {
  return { scope: job.build.id, number: job.fence }
}

function taskSpec(job: BuildJob, unit: Unit, id: string, step: BuildStep): TaskSpec {
  const { limits } = job.deps
  const elapsedMs = job.deps.clock.now().getTime() - job.startedAt.getTime()
  return {
    id,
    labels: { team: job.build.teamId, app: job.app.id, environment: job.build.environmentId, build: job.build.id },
    command: stepCommand(job, step),
    env: stepEnvironment(job, unit.folder, step),
    runAs: { uid: job.app.buildUid, gid: job.app.runUid },
    limits: {
      processes: limits.processes,
      openFiles: limits.openFiles,
      fileBytes: limits.diskBytes,
      ...(limits.memoryBytes !== undefined && { memoryBytes: limits.memoryBytes }),
    },
    output: { stream: job.stream, source: 'build', maxStreamBytes: limits.logBytes },
    place: { kind: 'folder', path: unit.folder },
    timeoutMs: Math.max(1000, limits.timeMs - elapsedMs),
    maxOutputBytes: limits.outputBytes,
    disk: { path: unit.folder, maxBytes: limits.diskBytes },
  }
}

async function lastLines(job: BuildJob): Promise<string[]> {
  await job.deps.output.flush()
  const lines = await job.deps.output.last(job.stream, linesRead)
  return lines.map((line) => line.message)
}
