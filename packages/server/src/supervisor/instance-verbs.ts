import type { Clock } from '../kernel/clock.ts'
import type { Logger } from '../kernel/logger.ts'
import type { SpawnArgv } from '../kernel/spawn-argv.ts'
import { createFiles } from './files/files.ts'
import type { Owner } from './files/tree.ts'
import { createInstances, type Instances } from './instances/instances.ts'
import { checkedOutput, createOutput, cutLines } from './output/output.ts'
import { type Hello, protocolVersion, type VerbHandlers } from './protocol.ts'

/** Everything of the supervisor but the programs it keeps running: instances, tasks, their output and files. */
export interface InstanceVerbs {
  readonly handlers: Pick<VerbHandlers, InstanceVerb>
  readonly instances: Instances
  /** Writes what is still to be written. Before it: `instances.stopAll` or `instances.detach`. */
  close(): void
}

type InstanceVerb =
  | 'hello'
  | 'start'
  | 'stop'
  | 'forget'
  | 'observe'
  | 'listeners'
  | 'append'
  | 'removeStream'
  | 'give'
  | 'seal'
  | 'remove'

export interface InstanceVerbsDeps {
  readonly home: string
  /** The control plane's uid and gid when the supervisor is root; undefined: everything has one uid. */
  readonly controlPlane: Owner | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly start: SpawnArgv
  /** Lowest uid and gid that something pushed may run as. */
  readonly lowestUid?: number
  /** How much one stream may write; default 4 MiB a second with a burst of 16 MiB. */
  readonly outputRate?: { readonly bytesPerSecond: number; readonly burstBytes: number }
}

export async function createInstanceVerbs(deps: InstanceVerbsDeps): Promise<InstanceVerbs> {
  const { home, controlPlane, clock, log, start, lowestUid = 200_000 } = deps
  const output = createOutput({ folder: `${home}/logs`, reader: controlPlane, clock, log, ...deps.outputRate })
  const files = createFiles({ home, controlPlane, lowestUid, start, log })
  const ownUids = controlPlane && { lowest: lowestUid }
  const instances = await createInstances({ home, ownUids, clock, log, start, output, files })
  const startedAt = clock.now().toISOString()
  const hello: Hello = {
    protocolVersion,
    pid: process.pid,
    startedAt,
    root: controlPlane !== undefined,
    ...instances.enforced,
  }
  return {
    instances,
    close: () => output.close(),
    handlers: {
      hello: async () => hello,
      start: ({ spec, fence }) => done(instances.start(spec, fence)),
      stop: ({ id, graceMs, fence }) => done(instances.stop(id, graceMs, fence)),
      forget: ({ id, fence }) => done(instances.forget(id, fence)),
      observe: async ({ ids }) => instances.observe(ids),
      listeners: async ({ id }) => instances.listeners(id),
      append: async ({ lines, ...target }) => {
        output.write(checkedOutput(target), cutLines(lines))
        return null
      },
      removeStream: async ({ stream }) => {
        output.removeStream(stream)
        return null
      },
      give: ({ path, uid, gid }) => done(files.give(path, { uid, gid })),
      seal: ({ path, gid }) => done(files.seal(path, gid)),
      remove: ({ path }) => done(files.remove(path)),
    },
  }
}

async function done(work: Promise<void>): Promise<null> {
  await work
  return null
}
