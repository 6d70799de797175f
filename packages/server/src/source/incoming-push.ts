import type { ServerResponse } from 'node:http'
import type { Principal, TeamScope } from '../access/index.ts'
import { ownRefs, zeroOid } from '../clients/git/index.ts'
import type { DeployId, PushId, RepositoryId } from '../kernel/ids.ts'
import type { Ordered } from './ordered.ts'
import type { PushRequest, RefCommand, Refusal, Verdict } from './push.ts'
import type { PushReply } from './push-reply.ts'
import type { DeployingApp, SourceDeps } from './source.ts'

export interface PushDeps extends SourceDeps {
  /** By repository: the order in which refs move is the order in which their deploys are made. */
  readonly ordered: Ordered
}

/** A request to push, let in. */
export interface IncomingPush {
  readonly principal: Principal
  readonly scope: TeamScope
  readonly repositoryId: RepositoryId
  /** The repository's folder. */
  readonly path: string
  /** The apps that this repository feeds. */
  readonly apps: readonly DeployingApp[]
  readonly body: AsyncIterable<Buffer>
  readonly response: ServerResponse
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal
}

/** A push whose commands have been read. */
export interface PushContext extends IncomingPush {
  readonly request: PushRequest
  readonly reply: PushReply
}

/** A ref that is being pushed. */
export interface TakenRef {
  readonly id: PushId
  readonly command: RefCommand
  /** The apps that deploy from it. */
  readonly deploys: readonly DeployingApp[]
  /** Where the new value is kept until everything about it is known; absent for a deletion. */
  readonly staging: string | undefined
}

/** How far a push has come: each of its refs is in one of the two. */
export interface PushState {
  readonly taken: readonly TakenRef[]
  readonly refused: ReadonlyMap<string, Refusal>
  /** Why git did not take the objects. */
  readonly unpackFault?: string
}

/** A push whose refs have moved, and the deploys that came of it. */
export interface AcceptedState extends PushState {
  readonly deploys: ReadonlyMap<PushId, readonly DeployId[]>
}

export const stagingRefs = `${ownRefs}/incoming`

export const internalFault: Refusal = {
  code: 'internal_error',
  message: "Gantry could not take this push, and nothing was changed; Gantry's own log says why",
}

export function beginState(verdicts: readonly Verdict[], newPushId: () => PushId): PushState {
  const taken: TakenRef[] = []
  const refused = new Map<string, Refusal>()
  for (const verdict of verdicts) {
    const { command } = verdict
    if (verdict.kind === 'refused') {
      refused.set(command.ref, verdict.refusal)
      continue
    }
    const id = newPushId()
    const staging = command.to === zeroOid ? undefined : `${stagingRefs}/${id}`
    taken.push({ id, command, deploys: verdict.deploys, staging })
  }
  return { taken, refused }
}

/** The state after some more refs, by name, have been refused; then all of them when the push is atomic. */
export function refuseMore(context: PushContext, state: PushState, refusals: ReadonlyMap<string, Refusal>): PushState {
  if (refusals.size === 0) return state
  const others: Refusal = { code: 'ref_rejected', message: 'another ref of this atomic push was refused' }
  const refused = new Map(state.refused)
  const taken = state.taken.filter(({ command }) => {
    const refusal = refusals.get(command.ref) ?? (context.request.capabilities.atomic ? others : undefined)
    if (refusal) refused.set(command.ref, refusal)
    return refusal === undefined
  })
  return { ...state, taken, refused }
}

export function refuseAll(state: PushState, refusal: Refusal): PushState {
  const rest = state.taken.map(({ command }) => [command.ref, refusal] as const)
  return { ...state, taken: [], refused: new Map([...state.refused, ...rest]) }
}
