import { systemScope } from '../access/index.ts'
import { type Oid, zeroOid } from '../clients/git/index.ts'
import type { RepositoryId } from '../kernel/ids.ts'
import { stagingRefs } from './incoming-push.ts'
import { type OpenPush, selectOpenPushes, updatePushes } from './push-store.ts'
import type { SourceDeps } from './source.ts'

export interface ReconcileDeps extends SourceDeps {
  readonly pathOf: (id: RepositoryId) => string
}

/**
 * Settles pushes that were under way when the last process ended. One that was being received: where the ref has the value
 * that was pushed, it is accepted and deployed as if nothing had happened; else it never was. Nobody waits for these deploys
 * any more. One that was being put back goes back.
 */
export async function reconcileRefs(deps: ReconcileDeps): Promise<void> {
  const open = await selectOpenPushes(deps.db)
  for (const [repository, pushes] of Map.groupBy(open, (push) => push.repositoryId)) {
    try {
      await reconcileRepository(deps, repository, pushes)
    } catch (error) {
      // One broken repository must not keep the platform from starting; its rows are tried again at the next start.
      deps.log.error({ err: error, repository }, 'pushes of a repository could not be settled')
    }
  }
}

async function reconcileRepository(
  deps: ReconcileDeps,
  repository: RepositoryId,
  pushes: readonly OpenPush[],
): Promise<void> {
  const path = deps.pathOf(repository)
  const accepted = new Set<string>()
  for (const push of pushes) {
    const { ref, to } = push.command
    const now = (await deps.git.readObjects(path, (reader) => reader.resolve(ref))) ?? zeroOid
    if (push.status === 'reverting') {
      await goOnReverting(deps, push, { path, now })
      continue
    }
    const hasMoved = now === to && !accepted.has(ref)
    await settle(deps, push, hasMoved)
    if (hasMoved) accepted.add(ref)
    deps.log.info({ push: push.id, ref, accepted: hasMoved }, 'a push that was cut off is settled')
  }
  const left = await deps.git.refsBelow(path, stagingRefs)
  if (left.length > 0) await deps.git.startRefUpdate(path).commit([], left)
}

async function goOnReverting(
  deps: ReconcileDeps,
  { id, teamId, command: { ref, from, to } }: OpenPush,
  { path, now }: { path: string; now: Oid },
): Promise<void> {
  if (now === to) await deps.git.startRefUpdate(path).commit([{ ref, from: to, to: from }])
  const status = now === to || now === from ? 'reverted' : 'accepted'
  await updatePushes(deps.db, systemScope(teamId), [id], { status, at: deps.clock.now() })
  deps.log.info({ push: id, ref, status }, 'a push that was being put back is settled')
}

async function settle(deps: ReconcileDeps, push: OpenPush, hasMoved: boolean): Promise<void> {
  const scope = systemScope(push.teamId)
  const { ref, from, to } = push.command
  await deps.db.transaction(async (tx) => {
    const status = hasMoved ? 'accepted' : 'rejected'
    await updatePushes(tx, scope, [push.id], { status, at: deps.clock.now() })
    if (!hasMoved || !isBranchValue(ref, to)) return
    const { teamId, repositoryId, options, createdBy } = push
    const facts = { pushId: push.id, teamId, scope, repositoryId, createdBy, options }
    await deps.listener.accepted(tx, { ...facts, ref, oldSha: from, newSha: to })
  })
}

function isBranchValue(ref: string, to: Oid): boolean {
  return to !== zeroOid && ref.startsWith('refs/heads/')
}
