import { type SupervisorClient, SupervisorUnavailable } from '../../clients/supervisor/supervisor-client.ts'
import type { Clock } from '../../kernel/clock.ts'
import { messageOf } from '../../kernel/errors.ts'
import { Refusal, type SpawnPlace, type SpawnSpec, type Verb, type Verbs } from '../../supervisor/protocol.ts'
import {
  type ArtifactRef,
  type Engine,
  EngineUnavailable,
  type ExitStatus,
  Fenced,
  type InstanceSpec,
  SpecRejected,
  type TaskSpec,
} from '../engine.ts'
import { hintStream } from '../hint-stream.ts'
import { describeIsolation } from './isolation.ts'

export interface LocalEngineDeps {
  readonly client: SupervisorClient
  readonly clock: Clock
}

/** A hint may be lost; then the end of a task is seen this much later. */
const lookEveryMs = 500

/** Processes on this machine, by the supervisor. */
export function createLocalEngine({ client, clock }: LocalEngineDeps): Engine {
  const call = async <V extends Verb>(
    verb: V,
    args: Verbs[V]['args'],
    signal: AbortSignal,
  ): Promise<Verbs[V]['result']> => {
    try {
      return await client.call(verb, args, signal)
    } catch (error) {
      throw translated(error)
    }
  }
  const engine: Engine = {
    name: 'local',
    capabilities: { accepts: ['slug'], assignsPorts: true, volumes: false, multiHost: false },
    async check(signal) {
      try {
        return describeIsolation(await call('hello', {}, signal))
      } catch (error) {
        const isolation = 'Unknown: the supervisor does not answer.'
        return { ok: false, isolationLevel: 0, isolation, missing: [], message: messageOf(error) }
      }
    },
    observe: (scope, signal) => call('observe', scope === 'all' ? {} : { ids: scope }, signal),
    start: async (spec, fence, signal) => void (await call('start', { spec: instanceOf(spec), fence }, signal)),
    startTask: async (spec, fence, signal) => void (await call('start', { spec: taskOf(spec), fence }, signal)),
    stop: async (id, { graceMs }, fence, signal) => void (await call('stop', { id, graceMs, fence }, signal)),
    forget: async (id, fence, signal) => void (await call('forget', { id, fence }, signal)),
    listeners: (id, signal) => call('listeners', { id }, signal),
    hints: (signal) => hintStream((listener) => client.onHint(listener), signal),
    async waitForTask(id, signal) {
      const hint = watchFor(id, client)
      try {
        for (;;) {
          const changed = hint.next()
          const [status] = await call('observe', { ids: [id] }, signal)
          if (!status) return lost(clock)
          if (status.exit) return status.exit
          await firstOf(changed, clock, signal)
        }
      } finally {
        hint.close()
      }
    },
  }
  return engine
}

function lost(clock: Clock): ExitStatus {
  const endedAt = clock.now().toISOString()
  return { reason: 'lost', code: null, signal: null, endedAt, message: 'the engine knows of no such task' }
}

async function firstOf(changed: Promise<void>, clock: Clock, signal: AbortSignal): Promise<void> {
  const done = new AbortController()
  const stop = AbortSignal.any([signal, done.signal])
  try {
    const looked = clock.wait(lookEveryMs, stop).catch((error: unknown) => {
      if (signal.aborted) throw error
    })
    await Promise.race([changed, looked])
  } finally {
    done.abort()
  }
  signal.throwIfAborted()
}

function watchFor(id: string, client: SupervisorClient): { next(): Promise<void>; close(): void } {
  let wake = (): void => undefined
  const close = client.onHint((changed) => {
    if (changed === undefined || changed === id) wake()
  })
  const next = (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    wake = resolve
    return promise
  }
  return { next, close }
}

function instanceOf(spec: InstanceSpec): SpawnSpec {
  return { ...common(spec), kind: 'instance', place: copyOf(spec.artifact) }
}

function taskOf(spec: TaskSpec): SpawnSpec {
  const { timeoutMs, maxOutputBytes, disk } = spec
  const place = spec.place.kind === 'folder' ? spec.place : copyOf(spec.place.artifact)
  return { ...common(spec), kind: 'task', place, task: { timeoutMs, maxOutputBytes, ...(disk && { disk }) } }
}

function common(spec: InstanceSpec | TaskSpec): Omit<SpawnSpec, 'kind' | 'place'> {
  const { id, labels, command, env, limits, output } = spec
  return {
    id,
    labels,
    command,
    env,
    limits,
    output,
    runAs: { uid: spec.runAs.uid, gid: spec.runAs.gid ?? spec.runAs.uid },
  }
}

function copyOf(artifact: ArtifactRef): SpawnPlace {
  if (artifact.kind !== 'slug') throw new SpecRejected(`the local engine runs slugs and no ${artifact.kind}s`)
  return { kind: 'copy', path: artifact.path, links: artifact.links }
}

function translated(error: unknown): unknown {
  if (error instanceof SupervisorUnavailable) return new EngineUnavailable(error.message, { cause: error })
  if (!(error instanceof Refusal)) return error
  if (error.refusal === 'Fenced') return new Fenced(error.message, { cause: error })
  if (error.refusal === 'SpecRejected') return new SpecRejected(error.message, { cause: error })
  if (error.refusal === 'Stopping') return new EngineUnavailable(error.message, { cause: error })
  return error
}
