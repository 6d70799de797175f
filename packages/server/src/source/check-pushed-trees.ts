import { MalformedTree, zeroOid } from '../clients/git/index.ts'
import { UserError } from '../kernel/errors.ts'
import { checkTree } from './check-tree.ts'
import { type PushContext, type PushDeps, type PushState, refuseMore, type TakenRef } from './incoming-push.ts'
import type { Refusal } from './push.ts'

/** Refuses what could never be deployed, while its branch has not moved. Other branches and tags may hold anything. */
export async function checkPushedTrees(deps: PushDeps, context: PushContext, state: PushState): Promise<PushState> {
  const refusals = new Map<string, Refusal>()
  for (const item of state.taken) {
    if (item.deploys.length === 0) continue
    const refusal = await checkPushedTree(deps, context, item)
    if (refusal) refusals.set(item.command.ref, refusal)
  }
  return refuseMore(context, state, refusals)
}

async function checkPushedTree(
  deps: PushDeps,
  context: PushContext,
  { command, deploys }: TakenRef,
): Promise<Refusal | undefined> {
  const { path, reply } = context
  const { found, isForced } = await deps.git
    .readObjects(path, async (reader) => {
      const commit = await reader.commit(command.to)
      const isNext = command.from === zeroOid || commit === undefined || commit.parents.includes(command.from)
      const checked = commit && (await checkTree(reader, commit.tree, deploys, deps.limits))
      return { found: commit ? checked : notACommit, isForced: !isNext }
    })
    .catch((error: unknown) => {
      const code = error instanceof UserError ? error.code : 'object_rejected'
      if (!(error instanceof UserError || error instanceof MalformedTree)) throw error
      return { found: { code, message: error.message }, isForced: false }
    })
  if (found) return found
  if (isForced && !(await deps.git.isAncestor(path, command.from, command.to))) {
    const name = command.ref.slice('refs/heads/'.length)
    reply.say(`Forced: ${name} was ${command.from.slice(0, 7)}, which is not part of ${command.to.slice(0, 7)}.`)
  }
  return undefined
}

const notACommit: Refusal = { code: 'ref_rejected', message: 'a branch must point to a commit' }
