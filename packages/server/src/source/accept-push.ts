import { type RefChange, RefsRefused, type RefUpdate, zeroOid } from '../clients/git/index.ts'
import type { Transaction } from '../db/database.ts'
import { UserError } from '../kernel/errors.ts'
import type { DeployId, PushId } from '../kernel/ids.ts'
import {
  type AcceptedState,
  internalFault,
  type PushContext,
  type PushDeps,
  type PushState,
  refuseAll,
  refuseMore,
  type TakenRef,
} from './incoming-push.ts'
import type { Refusal } from './push.ts'
import { updatePushes } from './push-store.ts'
import { settlePushes } from './settle-pushes.ts'

export interface Acceptance {
  readonly state: PushState
  /** Everything that has a staging ref now, also what has been refused since. */
  readonly staged: readonly TakenRef[]
  readonly update: RefUpdate
}

/**
 * Moves the refs and makes the deploys of the push. One push of a repository at a time, so that the last one to move a
 * branch is the last one to be deployed. Never throws: what cannot be recorded is taken back.
 */
export async function acceptPush(deps: PushDeps, context: PushContext, acceptance: Acceptance): Promise<AcceptedState> {
  return await deps.ordered(context.repositoryId, async () => {
    const moved = await moveRefs(deps, context, acceptance)
    deps.failpoint('push.ref_moved')
    try {
      const rejected = acceptance.staged.filter((item) => !moved.taken.includes(item))
      const deploys = await deps.db.transaction((tx) => record(deps, context, tx, { taken: moved.taken, rejected }))
      deps.failpoint('push.accepted')
      return { ...moved, deploys }
    } catch (error) {
      return { ...(await takeBack(deps, context, moved, error)), deploys: new Map() }
    }
  })
}

async function moveRefs(deps: PushDeps, context: PushContext, acceptance: Acceptance): Promise<PushState> {
  const { state, staged, update } = acceptance
  const staging = staged.flatMap((item) => item.staging ?? [])
  try {
    await update.commit(state.taken.map(changeOf), staging)
    return state
  } catch (error) {
    if (state.taken.length > 1 && !context.request.capabilities.atomic)
      return await moveSingly(deps, context, acceptance)
    await dropRefs(deps, context, staging)
    return refuseAll(state, explain(deps, error))
  }
}

/** Several refs of a push that is not atomic: each moves or not by itself. */
async function moveSingly(deps: PushDeps, context: PushContext, { state, staged }: Acceptance): Promise<PushState> {
  const refusals = new Map<string, Refusal>()
  for (const item of state.taken) {
    const update = deps.git.startRefUpdate(context.path)
    try {
      await update.commit([changeOf(item)])
    } catch (error) {
      refusals.set(item.command.ref, explain(deps, error))
    }
  }
  await dropRefs(
    deps,
    context,
    staged.flatMap((item) => item.staging ?? []),
  )
  return refuseMore(context, state, refusals)
}

async function dropRefs(deps: PushDeps, context: PushContext, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return
  // What stays behind is dropped at the next start.
  await deps.git
    .startRefUpdate(context.path)
    .commit([], refs)
    .catch(() => undefined)
}

function changeOf({ command }: TakenRef): RefChange {
  return command
}

function explain(deps: PushDeps, error: unknown): Refusal {
  if (!(error instanceof RefsRefused)) {
    deps.log.error({ err: error }, 'refs could not be moved')
    return internalFault
  }
  if (error.why === 'moved')
    return { code: 'push_conflict', message: 'the ref changed while you pushed; fetch and push again' }
  const message =
    error.why === 'conflict' ? 'another branch or tag has this name as a folder, or the reverse' : error.message
  return { code: 'ref_name_invalid', message }
}

async function record(
  deps: PushDeps,
  context: PushContext,
  tx: Transaction,
  refs: { readonly taken: readonly TakenRef[]; readonly rejected: readonly TakenRef[] },
): Promise<ReadonlyMap<PushId, readonly DeployId[]>> {
  const { scope, repositoryId, request, principal } = context
  const at = deps.clock.now()
  const idsOf = (items: readonly TakenRef[]): PushId[] => items.map((item) => item.id)
  if (refs.rejected.length > 0) await updatePushes(tx, scope, idsOf(refs.rejected), { status: 'rejected', at })
  if (refs.taken.length > 0) await updatePushes(tx, scope, idsOf(refs.taken), { status: 'accepted', at })
  const deploys = new Map<PushId, readonly DeployId[]>()
  for (const { id, command } of refs.taken) {
    if (command.to === zeroOid || !command.ref.startsWith('refs/heads/')) continue
    const ids = await deps.listener.accepted(tx, {
      pushId: id,
      teamId: scope.team,
      scope,
      repositoryId,
      ref: command.ref,
      oldSha: command.from,
      newSha: command.to,
      createdBy: principal.personName,
      options: request.options,
    })
    deploys.set(id, ids)
  }
  return deploys
}

/** The refs go back where they were: a branch that moved without a deploy would never be deployed. */
async function takeBack(deps: PushDeps, context: PushContext, state: PushState, cause: unknown): Promise<PushState> {
  const refusal: Refusal = cause instanceof UserError ? { code: cause.code, message: cause.message } : internalFault
  if (refusal === internalFault) deps.log.error({ err: cause }, 'a push could not be recorded')
  const back = state.taken.map(({ command: { ref, from, to } }) => ({ ref, from: to, to: from }))
  try {
    if (back.length > 0) await deps.git.startRefUpdate(context.path).commit(back)
    const ids = state.taken.map((item) => item.id)
    await settlePushes(deps, context.scope, ids, 'rejected')
  } catch (error) {
    // The rows stay `received`: the next start compares them with the refs and settles what is true then.
    deps.log.error({ err: error }, 'a push could not be taken back')
  }
  return refuseAll(state, refusal)
}
