import type { AppId, ArtifactId, ConfigId, EnvironmentId, ReleaseId, TeamId } from '../kernel/ids.ts'

/** Artifact, config and process types: a whole thing, which never changes. It has no status; deploys have. */
export interface ReleaseRow {
  readonly id: ReleaseId
  readonly teamId: TeamId
  readonly appId: AppId
  readonly environmentId: EnvironmentId
  /** Counts from 1 in each environment. */
  readonly version: number
  readonly artifactId: ArtifactId
  readonly configId?: ConfigId
  readonly processTypes: ProcessTypes
  readonly commitSha?: string
  /** Version of the release that a rollback took back. */
  readonly rollbackOf?: number
  readonly reason: ReleaseReason
  readonly createdBy: string
  readonly createdAt: Date
}

export type ReleaseReason = 'deploy' | 'config' | 'rollback'

export type ProcessTypes = Readonly<Record<string, ProcessType>>

export interface ProcessType {
  /** A line of shell. */
  readonly command: string
  /** Whether old and new instances may run beside each other. */
  readonly overlap: boolean
}

/** `v5`. */
export function releaseName(version: number): string {
  return `v${version}`
}

/** The version in `v5`; `undefined` when the text is no release's name. */
export function parseReleaseName(name: string): number | undefined {
  return /^v[1-9][0-9]{0,9}$/.test(name) ? Number(name.slice(1)) : undefined
}
