/** What users do while the platform is crashed under them. None of these throws when a command fails: that is for the rows. */
import { eventually } from '../eventually.ts'
import type { Finished } from '../platform.ts'
import { type CrashAppOptions, crashApp } from './crash-app.ts'
import type { JourneyName } from './points.ts'
import type { World } from './world.ts'

export interface JourneyResult {
  /** The commit that the client was told is live. */
  readonly promised?: string
}

export interface Journey {
  /** Whether it may change what is live. */
  readonly mayGoLive: boolean
  run(world: World): Promise<JourneyResult>
}

/** A client that hangs would hide everything else. */
const limitMs = 50_000

async function pushVersion(world: World, options: CrashAppOptions = {}, ...flags: string[]) {
  const version = world.nextVersion()
  await world.project.write(crashApp(version, options))
  const sha = await world.commit(version)
  const pushed = await world.platform.git(['push', '--quiet', ...flags, 'gantry', 'main'], {
    cwd: world.project.folder,
    timeoutMs: limitMs,
  })
  return { sha, pushed }
}

function promise(sha: string, pushed: Finished): JourneyResult {
  const isLive = pushed.exitCode === 0 && /is live/.test(pushed.output)
  return isLive ? { promised: sha } : {}
}

async function pushAndSee(world: World, options?: CrashAppOptions): Promise<JourneyResult> {
  const { sha, pushed } = await pushVersion(world, options)
  return promise(sha, pushed)
}

/** What a user would do again when it did not get through is done again; what the platform refuses is not. */
async function insist(what: string, request: () => Promise<{ status: number }>): Promise<void> {
  await eventually(what, async () => {
    const { status } = await request()
    if (status >= 500) throw new Error(`answered ${status}`)
  })
}

async function openDeploy(world: World, status: string): Promise<string | undefined> {
  const [row] = await world.rows.query<{ id: string }>('select id from deploys where status = $1', [status])
  return row?.id
}

async function cancelWhenBuilding(world: World, pushed: Promise<unknown>): Promise<void> {
  let isOver = false
  void pushed.finally(() => {
    isOver = true
  })
  await eventually('the build that hangs is cancelled', async () => {
    const id = await openDeploy(world, 'building')
    const [received] = await world.rows.query("select 1 from pushes where status = 'received'")
    if (!id && isOver && !received) return
    if (!id) throw new Error('nothing is building')
    await insist('cancelling', () => world.platform.api('POST', `/v1/deploys/${id}/cancel`))
    throw new Error('it is still building')
  })
}

const neverEnds = { build: 'sleep 60' }

export const journeys: Readonly<Record<JourneyName, Journey>> = {
  push: { mayGoLive: true, run: (world) => pushAndSee(world) },
  build: { mayGoLive: true, run: (world) => pushAndSee(world, { build: 'node -e 0' }) },
  supersede: {
    mayGoLive: true,
    async run(world) {
      await pushVersion(world, { build: 'sleep 4' }, '--push-option=async')
      await eventually('the first one is being built', async () => {
        const [row] = await world.rows.query("select 1 from deploys where status in ('queued', 'building')")
        const [done] = await world.rows.query(
          "select 1 where not exists (select 1 from pushes where status = 'received')",
        )
        if (!row && !done) throw new Error('not yet')
      })
      return await pushAndSee(world)
    },
  },
  exit: { mayGoLive: false, run: (world) => pushAndSee(world, { exits: true }) },
  'broken build': { mayGoLive: false, run: (world) => pushAndSee(world, { build: 'node -e "process.exit(7)"' }) },
  cancel: {
    mayGoLive: false,
    async run(world) {
      const pushed = pushAndSee(world, neverEnds)
      await cancelWhenBuilding(world, pushed)
      return await pushed
    },
  },
  rollback: {
    mayGoLive: true,
    async run(world) {
      const [other] = await world.rows.query<{ id: string }>(
        `select r.id from releases r where r.id <> (select live_release_id from environments)
           and exists (select 1 from deploys d where d.release_id = r.id and d.status = 'live')
         order by r.version desc limit 1`,
      )
      const body = { environment: { id: world.environmentId }, kind: 'rollback', rollback_to: { id: other?.id } }
      await world.platform.api('POST', '/v1/deploys', body).catch(() => undefined)
      return {}
    },
  },
  config: {
    mayGoLive: true,
    async run(world) {
      const variables = { MARK: `m-${world.nextVersion()}` }
      await world.platform
        .api('PATCH', `/v1/environments/${world.environmentId}/config`, { variables })
        .catch(() => undefined)
      return {}
    },
  },
}
