/** One platform with one app, through many crashes: what was delivered, and what the app must answer. */
import { join } from 'node:path'
import { eventually } from '../eventually.ts'
import { type Platform, startPlatform } from '../platform.ts'
import { createProject, type Project } from '../project.ts'
import { crashApp, type Ledger, openLedger } from './crash-app.ts'
import { openPlatformRows, type PlatformRows } from './database.ts'
import { createFailpointFile, type FailpointFile } from './failpoint-file.ts'

export interface World {
  readonly platform: Platform
  readonly project: Project
  readonly failpoints: FailpointFile
  readonly rows: PlatformRows
  readonly ledger: Ledger
  readonly environmentId: string
  readonly repository: string
  readonly host: string
  /** The next version's name. */
  nextVersion(): string
  /** Commits what is in the project's folder, as this version. */
  commit(version: string): Promise<string>
  /** What instances of this release answer. */
  answerOf(release: LiveRelease): string
  /** To be called when nothing moves: remembers which MARK the current config holds. */
  learnConfig(): Promise<void>
  close(): Promise<void>
}

export interface LiveRelease {
  readonly id: string
  readonly commitSha: string
  readonly configId: string | null
}

export async function createWorld(folder: string): Promise<World> {
  const failpoints = await createFailpointFile(join(folder, 'failpoints/file'))
  const ledger = await openLedger()
  const platform = await startPlatform({ detach: true, env: { GANTRY_FAILPOINTS_FILE: failpoints.path } })
  try {
    return await fillWorld(platform, failpoints, ledger)
  } catch (error) {
    await platform.destroy()
    ledger.close()
    throw error
  }
}

async function fillWorld(platform: Platform, failpoints: FailpointFile, ledger: Ledger): Promise<World> {
  const rows = await openPlatformRows(platform.home)
  const project = await createProject(platform, 'shop', crashApp('v0'))
  const [environment] = await rows.query<{ id: string; repository_id: string }>(
    'select e.id, a.repository_id from environments e join apps a on a.id = e.app_id',
  )
  if (!environment) throw new Error('the app has no environment')
  const versions = new Map<string, string>()
  const marks = new Map<string, string>()
  let version = 1
  const world: World = {
    platform,
    project,
    failpoints,
    rows,
    ledger,
    environmentId: environment.id,
    repository: join(platform.home, 'repositories', `${environment.repository_id}.git`),
    host: 'shop.localhost',
    nextVersion: () => `v${version++}`,
    async commit(name) {
      const sha = await project.commit(name)
      versions.set(sha, name)
      return sha
    },
    answerOf: ({ commitSha, configId }) => `${versions.get(commitSha)} ${(configId && marks.get(configId)) || ''}`,
    async learnConfig() {
      const [row] = await rows.query<{ config_id: string | null }>('select config_id from environments')
      const { body } = await platform.api<{ variables: Record<string, string> }>(
        'GET',
        `/v1/environments/${environment.id}/config`,
      )
      if (row?.config_id) marks.set(row.config_id, body.variables.MARK ?? '')
    },
    async close() {
      await rows.close()
      await platform.destroy()
      ledger.close()
    },
  }
  await firstPush(world, platform, ledger)
  return world
}

async function firstPush(world: World, platform: Platform, ledger: Ledger): Promise<void> {
  await platform.api('PATCH', `/v1/environments/${world.environmentId}/config`, {
    variables: { LEDGER_PORT: String(ledger.port), MARK: 'm0' },
  })
  for (const version of [world.nextVersion(), world.nextVersion()]) {
    await world.project.write(crashApp(version))
    await world.commit(version)
    const pushed = await world.project.push()
    if (pushed.exitCode !== 0) throw new Error(`the first push failed: ${pushed.output}`)
  }
  await eventually('the config is known', () => world.learnConfig())
}
