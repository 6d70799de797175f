import type { BuildStatus, ErrorCode } from '@gantry/api'
import type { AppId, ArtifactId, BuildId, EnvironmentId, RepositoryId, TeamId } from '../kernel/ids.ts'

/** A row of `builds`, with the names and the digest that its resource shows. */
export interface BuildRow {
  readonly id: BuildId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly appName: string
  readonly environmentId: EnvironmentId
  readonly environmentName: string
  readonly commitSha: string
  readonly status: BuildStatus
  readonly builder?: string
  readonly artifactId?: ArtifactId
  readonly artifactDigest?: string
  readonly error?: { readonly code: ErrorCode; readonly message: string }
  readonly createdAt: Date
  readonly startedAt?: Date
  readonly finishedAt?: Date
}

/** What is asked of `runBuild`. */
export interface BuildRequest {
  readonly build: Pick<BuildRow, 'id' | 'teamId' | 'appId' | 'environmentId' | 'commitSha'>
  readonly app: BuiltApp
  /** The only variables of the user's that a build sees. */
  readonly buildConfig: Readonly<Record<string, string>>
  /** A line for the build's log, without its end. */
  readonly log: (line: string) => void
  /** The fencing number of the work that this belongs to. */
  readonly fence: number
}

/** What a build needs to know of its app. */
export interface BuiltApp {
  readonly id: AppId
  readonly repositoryId: RepositoryId
  /** Folder of the repository that the app lives in; '' is the whole. */
  readonly root: string
  readonly runUid: number
  readonly buildUid: number
}

export function isOver(status: BuildStatus): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled'
}

/** The output stream of a build's steps. */
export function outputStream(build: { appId: AppId; id: BuildId }): string {
  return `build/${build.appId}/${build.id}`
}
