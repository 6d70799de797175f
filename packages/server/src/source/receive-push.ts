import { openPacketStream, type PacketStream } from '../clients/git/index.ts'
import { acceptPush } from './accept-push.ts'
import { checkPushedTrees } from './check-pushed-trees.ts'
import { followDeploys } from './follow-deploys.ts'
import {
  beginState,
  type IncomingPush,
  internalFault,
  type PushContext,
  type PushDeps,
  type PushState,
  refuseAll,
} from './incoming-push.ts'
import { decidePush, type Refusal } from './push.ts'
import { openPushReply, type PushReport } from './push-reply.ts'
import { readPushRequest } from './read-push-request.ts'
import { receiveObjects } from './receive-objects.ts'
import { settlePushes } from './settle-pushes.ts'

/**
 * A push, from its first packet to its report. The objects go to git under refs of Gantry's own; a branch moves only when
 * everything about it is known, and the report waits until its deploys have ended. Throws `UserError` on a request that
 * is not a push, before anything has been answered.
 */
export async function receivePush(deps: PushDeps, push: IncomingPush): Promise<void> {
  const packets = openPacketStream(push.body)
  const request = await readPushRequest(packets)
  const reply = openPushReply(push.response, request.capabilities)
  const context: PushContext = { ...push, request, reply }
  const decided = beginState(decidePush(request, push.apps), () => deps.newId('push'))
  reply.finish(reportOf(context, await takePush(deps, context, decided, packets)))
}

async function takePush(
  deps: PushDeps,
  context: PushContext,
  decided: PushState,
  packets: PacketStream,
): Promise<PushState> {
  if (decided.taken.length === 0) {
    for await (const _chunk of packets.rest()); // who is still sending would not hear an answer
    return decided
  }
  // Started before it is needed: when the objects are here, moving the ref takes no start of a process.
  const update = deps.git.startRefUpdate(context.path)
  try {
    const received = await receiveObjects(deps, context, decided, packets)
    const checked = await checkPushedTrees(deps, context, received)
    const accepted = await acceptPush(deps, context, { state: checked, staged: received.taken, update })
    return await followDeploys(deps, context, accepted)
  } catch (error) {
    // Only what comes before a ref has moved throws.
    deps.log.error({ err: error, repository: context.repositoryId }, 'a push failed')
    await reject(deps, context, decided)
    return refuseAll(decided, internalFault)
  } finally {
    update.cancel()
  }
}

/** A row that stays `received` is settled at the next start. */
async function reject(deps: PushDeps, context: PushContext, { taken }: PushState): Promise<void> {
  const ids = taken.map((item) => item.id)
  await settlePushes(deps, context.scope, ids, 'rejected').catch(() => undefined)
}

/** What the client is told of each ref, in the order in which it named them. */
function reportOf(context: PushContext, state: PushState): PushReport {
  const refs = context.request.commands.map(({ ref }) => {
    const refusal = state.refused.get(ref)
    return { ref, refusal: refusal && reasonOf(refusal) }
  })
  return { unpackFault: state.unpackFault, refs }
}

/** The code is how documentation and search find a refusal; a failed deploy has one of its own. */
function reasonOf({ code, message }: Refusal): string {
  return code === 'deploy_failed' ? `deploy failed: ${message}` : `${message} [${code}]`
}
