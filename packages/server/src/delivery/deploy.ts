import type {
  AppId,
  BuildId,
  ConfigId,
  DeployId,
  EnvironmentId,
  PushId,
  ReleaseId,
  SourceId,
  TeamId,
} from '../kernel/ids.ts'
import { deployStream } from '../logs/index.ts'
import type { DeployStatus } from './deploy-state.ts'

/** What started a deploy. `commit`: a commit that the repository already has. */
export type DeployKind = 'push' | 'upload' | 'commit' | 'config' | 'rollback'

/** One journey of a release towards being live. */
export interface DeployRow {
  readonly id: DeployId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly environmentId: EnvironmentId
  readonly kind: DeployKind
  readonly status: DeployStatus
  /** In words, while the deploy is held. */
  readonly waitReason?: string
  readonly commitSha?: string
  readonly sourceId?: SourceId
  readonly pushId?: PushId
  readonly buildId?: BuildId
  readonly releaseId?: ReleaseId
  /** What was live when this one began to roll out. */
  readonly previousReleaseId?: ReleaseId
  /** Rollback: the config that it replaced, put back when it does not go live. */
  readonly previousConfigId?: ConfigId
  readonly rollbackTo?: ReleaseId
  readonly keepConfig: boolean
  readonly retryOf?: DeployId
  readonly supersededBy?: DeployId
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly cancelRequestedAt?: Date
  readonly createdBy: string
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly finishedAt?: Date
}

/** Kinds whose artifact has to be built first. */
export function needsBuild(kind: DeployKind): boolean {
  return kind === 'push' || kind === 'upload' || kind === 'commit'
}

/** The output stream of a deploy's own steps and of its release phase. */
export function streamOf(deploy: Pick<DeployRow, 'appId' | 'id'>): string {
  return deployStream(deploy.appId, deploy.id)
}

/** `3f2a9c1`: how people call a commit. */
export function shortSha(commitSha: string): string {
  return commitSha.slice(0, 7)
}
