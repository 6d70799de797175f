import type { ReleaseId } from '../kernel/ids.ts'
import type { DeployKind, DeployRow } from './deploy.ts'
import { isOpen } from './deploy-state.ts'

/** Whether requests already go to a deploy's release: from then on it can be neither cancelled nor superseded. */
export function hasSwitched(deploy: DeployRow, liveReleaseId: ReleaseId | undefined): boolean {
  if (deploy.status === 'watching') return true
  return deploy.status === 'rolling_out' && deploy.releaseId !== undefined && deploy.releaseId === liveReleaseId
}

export interface Displaced {
  /** These end as superseded by the new deploy. */
  readonly superseded: readonly DeployRow[]
  /** These have switched: they are live, which is recorded before the new one begins. */
  readonly finished: readonly DeployRow[]
}

/**
 * What a new deploy does to the open ones of its environment. New source or a rollback takes the place of everything
 * that has not switched; a change of config only that of older changes of config, for it is carried by whatever comes next.
 */
export function displacedBy(
  kind: DeployKind,
  open: readonly DeployRow[],
  liveReleaseId: ReleaseId | undefined,
): Displaced {
  const finished = open.filter((deploy) => hasSwitched(deploy, liveReleaseId))
  const before = open.filter((deploy) => !hasSwitched(deploy, liveReleaseId))
  return { finished, superseded: kind === 'config' ? before.filter((deploy) => deploy.kind === 'config') : before }
}

/** The deploy that another one has to wait for: an older one that holds the environment. */
export function blockerOf(deploy: DeployRow, others: readonly DeployRow[]): DeployRow | undefined {
  return others.find((other) => {
    if (other.id === deploy.id || !isOpen(other.status)) return false
    if (deploy.kind === 'config') return other.kind !== 'config' || isRollingOut(other)
    return isRollingOut(other)
  })
}

function isRollingOut(deploy: DeployRow): boolean {
  return deploy.status === 'rolling_out' || deploy.status === 'watching' || deploy.status === 'releasing'
}
