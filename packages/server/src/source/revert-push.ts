import { RefsRefused } from '../clients/git/index.ts'
import type { PushContext, PushDeps, TakenRef } from './incoming-push.ts'
import { updatePushes } from './push-store.ts'

/**
 * Puts a ref back to what it was before a push whose deploy failed, so that pushing again is a push again. Nothing when
 * the ref has moved on. Never throws: the push has been answered for either way.
 */
export async function revertPush(deps: PushDeps, context: PushContext, { id, command }: TakenRef): Promise<void> {
  const { ref, from, to } = command
  await deps.ordered(context.repositoryId, async () => {
    try {
      await deps.git.startRefUpdate(context.path).commit([{ ref, from: to, to: from }])
      deps.failpoint('push.reverted')
      await updatePushes(deps.db, context.scope, [id], { status: 'reverted', at: deps.clock.now() })
    } catch (error) {
      if (!(error instanceof RefsRefused)) deps.log.error({ err: error, ref }, 'a ref could not be put back')
    }
  })
}
