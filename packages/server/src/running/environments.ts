import { systemScope } from '../access/index.ts'
import {
  type Apps,
  clearLiveRelease,
  type EnvironmentToRun,
  environmentLabel,
  hostOf,
  markLive,
  markRolloutFailed,
  selectEnvironmentToRun,
  selectOccupied,
} from '../apps/index.ts'
import type { Builds } from '../builds/index.ts'
import type { Database } from '../db/database.ts'
import type { ReleaseId } from '../kernel/ids.ts'
import { releaseById } from '../releases/index.ts'
import type { Environments, WorkloadRelease } from './workload.ts'

export interface EnvironmentsDeps {
  readonly db: Database
  readonly apps: Pick<Apps, 'readConfig'>
  readonly builds: Pick<Builds, 'artifact'>
  /** The domain below which apps answer: `localhost`. */
  readonly domain: string
}

/** Reads and marks environments through the doors of the rooms that own them. */
export function createEnvironments(deps: EnvironmentsDeps): Environments {
  const { db } = deps
  const host = (appName: string, environmentName: string) =>
    hostOf(environmentLabel(appName, environmentName), deps.domain)
  return {
    host,
    async load(environmentId, before) {
      const row = await selectEnvironmentToRun(db, environmentId)
      if (!row) return undefined
      const known = [before?.desired, before?.live]
      const read = async (id: ReleaseId) => known.find((it) => it?.id === id) ?? (await readRelease(deps, row, id))
      const { desiredReleaseId, liveReleaseId } = row
      const desired = desiredReleaseId && (await read(desiredReleaseId))
      if (desired === undefined)
        throw new Error(`the release ${desiredReleaseId} of environment ${environmentId} has no artifact`)
      const isOther = desired && liveReleaseId !== null && liveReleaseId !== desiredReleaseId
      const live = isOther ? await read(liveReleaseId) : undefined
      return {
        scope: systemScope(row.teamId),
        appId: row.appId,
        appName: row.appName,
        environmentId: row.id,
        environmentName: row.name,
        hosts: [host(row.appName, row.name)],
        runUid: row.runUid,
        generation: row.generation,
        scale: row.scale,
        ...(desired && { desired }),
        ...(live && { live }),
        ...(row.liveReleaseId && { liveReleaseId: row.liveReleaseId }),
        ...(row.failedReleaseId && { failedReleaseId: row.failedReleaseId }),
      }
    },
    config: (workload, configId) => deps.apps.readConfig(db, workload.scope, configId),
    markLive,
    markRolloutFailed,
    clearLive: clearLiveRelease,
    occupied: () => selectOccupied(db),
  }
}

async function readRelease(
  { db, builds }: EnvironmentsDeps,
  row: EnvironmentToRun,
  id: ReleaseId,
): Promise<WorkloadRelease | undefined> {
  const scope = systemScope(row.teamId)
  const release = await releaseById(db, scope, id)
  const artifact = release && (await builds.artifact(db, scope, release.artifactId))
  if (!artifact) return undefined
  return {
    id,
    version: release.version,
    artifact: { kind: artifact.kind, path: artifact.location, links: artifact.links },
    runEnv: artifact.runEnv,
    processTypes: release.processTypes,
    ...(release.configId && { configId: release.configId }),
    ...(release.commitSha && { commitSha: release.commitSha }),
  }
}
