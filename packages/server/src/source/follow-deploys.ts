import type { Deploy } from '@gantry/api'
import type { Clock } from '../kernel/clock.ts'
import { headline } from '../kernel/headline.ts'
import type { DeployId } from '../kernel/ids.ts'
import type { AcceptedState, PushContext, PushDeps, PushState, TakenRef } from './incoming-push.ts'
import { describeRef, isAsync, type Refusal, whatDeploys } from './push.ts'
import type { PushReply } from './push-reply.ts'
import { revertPush } from './revert-push.ts'

/** How a deploy ended while the client waited. */
interface Ending {
  readonly status: Deploy['status']
  readonly message: string
}

const keepAliveMs = 5000

/**
 * Shows the deploys of a push to whoever pushed, until they have ended. A ref whose deploy failed goes back and is
 * refused; one that nobody waited for stays. Never throws.
 */
export async function followDeploys(deps: PushDeps, context: PushContext, state: AcceptedState): Promise<PushState> {
  const { reply, request, gone } = context
  for (const item of state.taken) {
    if ((state.deploys.get(item.id) ?? []).length === 0) reply.say(describeQuiet(context, item))
  }
  const ids = [...state.deploys.values()].flat()
  if (ids.length === 0 || gone.aborted) return state
  if (isAsync(request.options)) {
    reply.say('Accepted. The deploy goes on by itself; see it with: gantry deploys list')
    return state
  }
  const endings = await watch(deps, context, ids)
  const failed = new Map<string, Refusal>()
  for (const item of state.taken) {
    const message = failureOf(state.deploys.get(item.id) ?? [], endings)
    if (message === undefined) continue
    failed.set(item.command.ref, { code: 'deploy_failed', message })
    await revertPush(deps, context, item)
  }
  // A ref that went live stays so, whatever became of the others: by now nothing is atomic any more.
  const refused = new Map([...state.refused, ...failed])
  return { ...state, taken: state.taken.filter((item) => !failed.has(item.command.ref)), refused }
}

function describeQuiet(context: PushContext, { command }: TakenRef): string {
  const name = describeRef(command.ref)
  if (/^0+$/.test(command.to)) return `Deleted ${name}.`
  return `Kept ${name}. Nothing deploys from it: ${whatDeploys(context.apps)}.`
}

async function watch(
  deps: PushDeps,
  context: PushContext,
  ids: readonly DeployId[],
): Promise<ReadonlyMap<DeployId, Ending>> {
  const endings = new Map<DeployId, Ending>()
  const { reply, gone } = context
  const stop = new AbortController()
  void keepAlive(deps.clock, reply, AbortSignal.any([gone, stop.signal]))
  try {
    for await (const item of deps.listener.follow(ids, gone)) {
      if (item.kind === 'line') {
        reply.say(item.text)
        continue
      }
      endings.set(item.deployId, { status: item.status, message: item.message })
      if (!isFailure(item.status) && item.message !== '') reply.say(item.message)
    }
  } catch (error) {
    deps.log.error({ err: error }, 'the deploys of a push could not be followed')
    reply.say('Gantry lost sight of the deploy, which goes on; see it with: gantry deploys list')
  } finally {
    stop.abort()
  }
  return endings
}

async function keepAlive(clock: Clock, reply: PushReply, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.wait(keepAliveMs, signal).catch(() => undefined)
    if (!signal.aborted) reply.keepAlive()
  }
}

function isFailure(status: Deploy['status']): boolean {
  return status === 'failed' || status === 'cancelled' || status === 'rolled_back'
}

/** A deploy that has not ended here (the client left, or Gantry lost sight) is no failure, nor is a superseded one. */
function failureOf(ids: readonly DeployId[], endings: ReadonlyMap<DeployId, Ending>): string | undefined {
  const messages = ids.flatMap((id) => {
    const ending = endings.get(id)
    return ending && isFailure(ending.status) ? [headline(ending.message) || ending.status] : []
  })
  return messages.length > 0 ? messages.join('; ') : undefined
}
