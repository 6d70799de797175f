import type { PacketStream, UnpackReport } from '../clients/git/index.ts'
import type { Clock } from '../kernel/clock.ts'
import { isDiskFull } from './disk-full.ts'
import {
  type PushContext,
  type PushDeps,
  type PushState,
  refuseAll,
  refuseMore,
  type TakenRef,
} from './incoming-push.ts'
import type { Refusal } from './push.ts'
import { insertPushes, updatePushes } from './push-store.ts'

/**
 * Writes down what is being pushed and lets git check and store the objects, both at once. Afterwards each ref that is
 * still taken is in the repository under its staging ref.
 */
export async function receiveObjects(
  deps: PushDeps,
  context: PushContext,
  state: PushState,
  packets: PacketStream,
): Promise<PushState> {
  const { repositoryId, request, principal } = context
  const facts = { repositoryId, options: request.options, createdBy: principal.personName, at: deps.clock.now() }
  const inserting = insertPushes(deps.db, context.scope, state.taken, facts)
  inserting.catch(() => undefined) // thrown below, when git has ended
  const unpacked = await unpack(deps, context, state.taken, packets)
  await inserting
  deps.failpoint('push.received')
  const after = apply(context, state, unpacked)
  const rejected = state.taken.filter((item) => !after.taken.includes(item))
  if (rejected.length > 0) {
    const change = { status: 'rejected', at: deps.clock.now() } as const
    await updatePushes(
      deps.db,
      context.scope,
      rejected.map((item) => item.id),
      change,
    )
  }
  return after
}

interface Unpacked extends UnpackReport {
  /** The last of what git said. */
  readonly words: string
}

async function unpack(
  deps: PushDeps,
  context: PushContext,
  taken: readonly TakenRef[],
  packets: PacketStream,
): Promise<Unpacked> {
  const refs = new Map(taken.flatMap(({ staging, command }) => (staging ? [[staging, command.to] as const] : [])))
  if (refs.size === 0) return { fault: undefined, refused: new Map(), words: '' } // deletions come without a pack
  let words = ''
  const { shallow, capabilities } = context.request
  const deadline = createDeadline(deps.clock)
  try {
    const report = await deps.git.receivePack(context.path, {
      refs,
      shallow,
      pack: deadline.watch(packets.rest()),
      quiet: capabilities.quiet,
      onProgress(bytes) {
        words = (words + bytes.toString('utf8')).slice(-8192)
        if (bytes.length > 0) context.reply.forward(bytes)
        else context.reply.keepAlive()
      },
      signal: deadline.signal,
    })
    return { ...report, words }
  } finally {
    deadline.stop()
  }
}

/** How long git may work on what it has of a pack before it takes more: some packs are made to keep it busy for days. */
const workLimitMs = 10 * 60_000

function createDeadline(clock: Clock) {
  const over = new AbortController()
  let working = new AbortController()
  const start = (): void => {
    working = new AbortController()
    const limit = () => over.abort(new Error('git worked on this pack for too long'))
    clock.wait(workLimitMs, working.signal).then(limit, () => undefined)
  }
  const stop = (): void => working.abort()
  return {
    signal: over.signal,
    /** Passes the chunks on. Waiting for the client is not git's time. */
    async *watch(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
      for await (const chunk of chunks) {
        start()
        yield chunk
        stop()
      }
      start()
    },
    stop,
  }
}

function apply(context: PushContext, state: PushState, { fault, refused, words }: Unpacked): PushState {
  if (fault !== undefined) return { ...refuseAll(state, explainFault(words)), unpackFault: fault }
  const refusals = state.taken.flatMap(({ staging, command }) => {
    const reason = staging === undefined ? undefined : refused.get(staging)
    if (reason === undefined) return []
    return [[command.ref, explainRefused(reason)] as const]
  })
  return refuseMore(context, state, new Map(refusals))
}

/** git's own reasons are short; its words before tell what was wrong. */
function explainFault(words: string): Refusal {
  const said = [...words.matchAll(/^(?:fatal|error): (.*)$/gm)].map((match) => match[1]?.trim() ?? '')
  const size = said.find((line) => line.includes('exceeds maximum allowed size'))
  if (size !== undefined) return { code: 'push_too_large', message: `the ${size}` }
  if (isDiskFull(words)) return { code: 'disk_full', message: 'there is no space left on the disk of the platform' }
  const memory = said.find((line) => line.includes('attempting to allocate'))
  if (memory !== undefined) return { code: 'push_too_large', message: 'an object is too large to be unpacked' }
  const check = said.find((line) => /^object [0-9a-f]{40}: /.test(line))
  const message = check ?? said[0] ?? 'the pack ended early or is damaged'
  return { code: 'object_rejected', message: `git refused the objects: ${message}` }
}

function explainRefused(reason: string): Refusal {
  if (reason.includes('shallow')) {
    return {
      code: 'object_rejected',
      message: 'this clone is shallow and lacks history that is missing here too; run git fetch --unshallow',
    }
  }
  return { code: 'object_rejected', message: `git refused it: ${reason}` }
}
