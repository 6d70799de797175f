import { deployStatuses } from '@gantry/api'
import type { BuildId, ConfigId, DeployId, ReleaseId } from '../kernel/ids.ts'
import { type DeployRow, needsBuild } from './deploy.ts'

export { deployStatuses }
export type DeployStatus = (typeof deployStatuses)[number]

/** What can happen to a deploy, with what has to be remembered of it. */
export type DeployEvent =
  /** It has to wait where it is. */
  | { readonly name: 'hold'; readonly reason: string }
  | { readonly name: 'build'; readonly buildId: BuildId }
  | { readonly name: 'built' }
  /** A deploy of config has nothing to build. */
  | { readonly name: 'skip_build' }
  /** Nothing holds it any more; its release has been made. */
  | {
      readonly name: 'release'
      readonly releaseId: ReleaseId
      readonly releaseName: string
      /** Rollback: the config that it replaced. */
      readonly previousConfigId?: ConfigId | undefined
    }
  /** The release phase has passed, or there is none. */
  | { readonly name: 'roll_out'; readonly previousReleaseId: ReleaseId | undefined }
  /** The router's table leads to the release. */
  | { readonly name: 'switch' }
  /** Every router has acknowledged it, and nobody watches any longer. */
  | { readonly name: 'settle'; readonly message: string }
  | { readonly name: 'undo'; readonly reason: string }
  | { readonly name: 'fail'; readonly code: string; readonly message: string }
  | { readonly name: 'cancel' }
  | { readonly name: 'supersede'; readonly by: DeployId | undefined; readonly reason: string }

export type DeployEventName = DeployEvent['name']

const ends = { fail: 'failed', cancel: 'cancelled', supersede: 'superseded' } as const

/** The journey. What is not in this table cannot happen; the diagram in the docs is made from it. */
export const deployTransitions: Readonly<
  Record<DeployStatus, Readonly<Partial<Record<DeployEventName, DeployStatus>>>>
> = {
  queued: { hold: 'queued', build: 'building', skip_build: 'waiting', release: 'releasing', ...ends },
  building: { built: 'waiting', ...ends },
  waiting: { hold: 'waiting', release: 'releasing', ...ends },
  releasing: { roll_out: 'rolling_out', ...ends },
  rolling_out: { switch: 'watching', ...ends },
  watching: { settle: 'live', undo: 'rolled_back' },
  live: {},
  failed: {},
  cancelled: {},
  superseded: {},
  rolled_back: {},
}

/** What the rest of the system has to do about a step, in the same transaction. */
export type FollowUp =
  /** The environment shall run this release. */
  | { readonly kind: 'desire_release'; readonly releaseId: ReleaseId }
  /** It shall run again what is live. */
  | { readonly kind: 'desire_live_release' }
  /** A rollback that does not go live gives back the config that it replaced. */
  | { readonly kind: 'restore_config' }
  /** What was begun outside the database (a build, the release phase) has to be ended; a change of config goes on. */
  | { readonly kind: 'clean_up' }
  /** Deploys that waited for this one look again. */
  | { readonly kind: 'wake_waiting' }

export interface HistoryEntry {
  readonly at: Date
  readonly from: DeployStatus
  readonly to: DeployStatus
  readonly message: string
}

export interface Transition {
  readonly next: DeployRow
  readonly history: HistoryEntry
  readonly followUps: readonly FollowUp[]
}

/** An event came to a deploy that is in no state for it: another one was quicker. */
export class IllegalTransition extends Error {
  override readonly name = 'IllegalTransition'
  readonly status: DeployStatus
  constructor(deploy: Pick<DeployRow, 'id' | 'status'>, event: DeployEventName) {
    super(`deploy ${deploy.id} is ${deploy.status}: ${event} is not possible`)
    this.status = deploy.status
  }
}

/** Not ended: it still holds, or waits for, its environment. */
export function isOpen(status: DeployStatus): boolean {
  return Object.keys(deployTransitions[status]).length > 0
}

/** Pure: where the event leads, what is remembered, and what follows from it. */
export function transition(deploy: DeployRow, event: DeployEvent, now: Date): Transition {
  const to = deployTransitions[deploy.status][event.name]
  if (to === undefined || !suitsKind(deploy, event.name)) throw new IllegalTransition(deploy, event.name)
  const { waitReason: _over, ...rest } = deploy
  const next: DeployRow = {
    ...rest,
    ...remembered(event),
    status: to,
    updatedAt: now,
    ...(!isOpen(to) && { finishedAt: now }),
  }
  const history = { at: now, from: deploy.status, to, message: messageOf(event) }
  return { next, history, followUps: followUpsOf(deploy, next) }
}

/** Only a rollback goes from the queue to its release, and only what has no source goes without a build. */
function suitsKind(deploy: DeployRow, event: DeployEventName): boolean {
  if (event === 'build') return needsBuild(deploy.kind)
  if (event === 'skip_build') return deploy.kind === 'config'
  if (event === 'release' && deploy.status === 'queued') return deploy.kind === 'rollback'
  return true
}

function remembered(event: DeployEvent): Partial<DeployRow> {
  switch (event.name) {
    case 'hold':
      return { waitReason: event.reason }
    case 'build':
      return { buildId: event.buildId }
    case 'release':
      return {
        releaseId: event.releaseId,
        ...(event.previousConfigId && { previousConfigId: event.previousConfigId }),
      }
    case 'roll_out':
      return event.previousReleaseId ? { previousReleaseId: event.previousReleaseId } : {}
    case 'fail':
      return { errorCode: event.code, errorMessage: event.message }
    case 'cancel':
      return { errorCode: 'cancelled', errorMessage: 'The deploy was cancelled.' }
    case 'supersede':
      return {
        errorCode: 'superseded',
        errorMessage: event.reason,
        ...(event.by && { supersededBy: event.by }),
      }
    default:
      return {}
  }
}

function messageOf(event: DeployEvent): string {
  switch (event.name) {
    case 'hold':
    case 'undo':
    case 'supersede':
      return event.reason
    case 'build':
      return 'The build has begun.'
    case 'built':
      return 'The artifact is ready.'
    case 'skip_build':
      return 'Only the config changes: there is nothing to build.'
    case 'release':
      return `Release ${event.releaseName} has been made.`
    case 'roll_out':
      return 'The release rolls out.'
    case 'switch':
      return 'The route leads to the release.'
    case 'settle':
    case 'fail':
      return event.message
    case 'cancel':
      return 'The deploy was cancelled.'
  }
}

function followUpsOf(before: DeployRow, next: DeployRow): FollowUp[] {
  const followUps: FollowUp[] = []
  if (next.status === 'rolling_out' && next.releaseId) {
    followUps.push({ kind: 'desire_release', releaseId: next.releaseId })
  }
  if (isOpen(next.status)) return followUps
  if (next.status !== 'live') {
    if (before.status === 'rolling_out') followUps.push({ kind: 'desire_live_release' })
    if (before.status === 'watching' && next.previousReleaseId) {
      followUps.push({ kind: 'desire_release', releaseId: next.previousReleaseId })
    }
    if (next.kind === 'rollback' && next.releaseId) followUps.push({ kind: 'restore_config' })
  }
  followUps.push({ kind: 'clean_up' }, { kind: 'wake_waiting' })
  return followUps
}
