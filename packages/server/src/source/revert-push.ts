import { type RefChange, RefsRefused } from '../clients/git/index.ts'
import type { PushContext, PushDeps, TakenRef } from './incoming-push.ts'
import type { PushStatus } from './push-store.ts'
import { settlePushes } from './settle-pushes.ts'

/**
 * Puts a ref back to what it was before a push whose deploy failed, so that pushing again is a push again. Nothing when
 * the ref has moved on. Never throws: the push has been answered for either way.
 */
export async function revertPush(deps: PushDeps, context: PushContext, { id, command }: TakenRef): Promise<void> {
  const { ref, from, to } = command
  const mark = (status: PushStatus) => settlePushes(deps, context.scope, [id], status)
  await deps.ordered(context.repositoryId, async () => {
    try {
      await mark('reverting')
      deps.failpoint('push.reverting')
      const isBack = await putBack(deps, context, { ref, from: to, to: from })
      deps.failpoint('push.reverted')
      await mark(isBack ? 'reverted' : 'accepted')
    } catch (error) {
      // The row stays as it is: when it says `reverting`, the next start goes on with it.
      deps.log.error({ err: error, ref }, 'a ref could not be put back')
    }
  })
}

/** False when the ref has moved on. */
async function putBack(deps: PushDeps, context: PushContext, change: RefChange): Promise<boolean> {
  try {
    await deps.git.startRefUpdate(context.path).commit([change])
    return true
  } catch (error) {
    if (error instanceof RefsRefused) return false
    throw error
  }
}
