/** What must be true of a platform when nothing moves any more, whatever has been killed. */
import { type Dirent, existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { ask } from '../http.ts'
import { askLifecycle } from '../lifecycle.ts'
import { strayProcesses } from './processes.ts'
import type { LiveRelease, World } from './world.ts'

/** Throws, with everything that is wrong, unless the platform is at rest with nothing left over. Returns what is live. */
export async function assertAtRest(world: World): Promise<LiveRelease> {
  const live = await assertDelivered(world)
  const wrong = [...(await wrongRows(world)), ...(await wrongRemains(world))]
  if (wrong.length > 0) throw new Error(`left over:\n${wrong.map((line) => `  ${line}`).join('\n')}`)
  return live
}

/** Every deploy has ended, and the app answers with exactly the release that is live. */
async function assertDelivered(world: World): Promise<LiveRelease> {
  const { platform, rows } = world
  const { status, body } = await platform.api<{ status: string; checks: unknown }>('GET', '/v1/platform')
  if (status !== 200 || body.status !== 'ok') throw new Error(`the platform is not well: ${JSON.stringify(body)}`)
  const open = await rows.query(
    'select id, status, wait_reason, updated_at from deploys where finished_at is null order by created_at',
  )
  if (open.length > 0) throw new Error(`deploys have not ended: ${JSON.stringify(open)}`)
  const [state] = await rows.query<{
    desired: string
    live: string
    newest: string
    sha: string
    config: string | null
  }>(
    `select e.desired_release_id as desired, e.live_release_id as live, r.commit_sha as sha, r.config_id as config,
       (select d.release_id from deploys d where d.environment_id = e.id and d.status = 'live'
        order by d.finished_at desc, d.id desc limit 1) as newest
     from environments e left join releases r on r.id = e.live_release_id`,
  )
  if (!state?.live) throw new Error('nothing is live')
  if (state.desired !== state.live || state.newest !== state.live)
    throw new Error(`desired, live and last delivered are not one: ${JSON.stringify(state)}`)
  await world.learnConfig()
  const live = { id: state.live, commitSha: state.sha, configId: state.config }
  const expected = `200 ${world.answerOf(live)}`
  for (let i = 0; i < 3; i++) {
    const { status: code, body: answer } = await ask(platform.httpPort, world.host)
    if (`${code} ${answer}` !== expected) throw new Error(`the app answers "${code} ${answer}", not "${expected}"`)
  }
  return live
}

async function wrongRows({ rows, repository, environmentId }: World): Promise<string[]> {
  const found = async (what: string, sql: string) => {
    const bad = await rows.query(sql)
    return bad.map((row) => `${what}: ${JSON.stringify(row)}`)
  }
  return [
    ...(await found('work', `select * from work where kind <> 'retention' or lease_until < now()`)),
    ...(await found('an open push', `select id, ref from pushes where status in ('received', 'reverting')`)),
    ...(await found('an open build', 'select id, status from builds where finished_at is null')),
    ...(await found('a workspace', `select path from build_folders where kind = 'workspace'`)),
    ...(await found(
      'a folder that no row names',
      `select b.path from build_folders b
       where kind <> 'workspace' and not exists (select 1 from artifacts a where a.location = b.path)
         and not exists (select 1 from layers l where l.path = b.path)`,
    )),
    ...(await found(
      'a port',
      `select p.port, p.instance_id, i.status from ports p left join instances i on i.id = p.instance_id
       where p.instance_id is not null and coalesce(i.status, 'ended') = 'ended'`,
    )),
    ...(await found(
      'an instance that is not in service',
      `select i.id, i.status, i.process_type from instances i join environments e on e.id = i.environment_id
       where i.status <> 'ended' and (i.status <> 'healthy' or i.release_id <> e.live_release_id)`,
    )),
    ...(await wrongRoute({ rows, environmentId })),
    ...(await wrongRefs({ rows, repository })),
  ]
}

async function wrongRoute({ rows, environmentId }: Pick<World, 'rows' | 'environmentId'>): Promise<string[]> {
  interface Entry {
    readonly mode: string
    readonly releaseId: string
    readonly targets: readonly { readonly instanceId: string }[]
  }
  const [route] = await rows.query<{ entry: Entry }>('select entry from routes where environment_id = $1', [
    environmentId,
  ])
  const inService = await rows.query<{ id: string; release_id: string }>(
    `select id, release_id from instances where status = 'healthy' and process_type = 'web'`,
  )
  const targets = route?.entry.targets.map(({ instanceId }) => instanceId)
  const isRight =
    inService.length === 1 &&
    route?.entry.mode === 'serve' &&
    targets?.length === 1 &&
    targets[0] === inService[0]?.id &&
    route.entry.releaseId === inService[0]?.release_id
  return isRight ? [] : [`the route ${JSON.stringify(route?.entry)} beside the instances ${JSON.stringify(inService)}`]
}

/** The branch is where the rows say that the last push left it. */
async function wrongRefs({ rows, repository }: Pick<World, 'rows' | 'repository'>): Promise<string[]> {
  const pushes = await rows.query<{ new_sha: string; old_sha: string; status: string }>(
    `select new_sha, old_sha, status from pushes where ref = 'refs/heads/main' order by created_at, id`,
  )
  let said = ''
  for (const { new_sha, old_sha, status } of pushes) {
    if (status === 'accepted') said = new_sha
    if (status === 'reverted') said = old_sha
  }
  const ref = readRef(repository, 'refs/heads/main')
  const wrong = ref === said ? [] : [`main is at ${ref}, the rows say ${said}`]
  const own = filesBelow(join(repository, 'refs/gantry')).map((path) => `a ref that nobody dropped: ${path}`)
  const locks = filesBelow(repository).filter((path) => /\.lock$|tmp_obj|incoming-/.test(path))
  return [...wrong, ...own, ...locks.map((path) => `git left ${path}`)]
}

function readRef(repository: string, ref: string): string {
  if (existsSync(join(repository, ref))) return readFileSync(join(repository, ref), 'utf8').trim()
  const packed = readFileSync(join(repository, 'packed-refs'), 'utf8')
  return (
    packed
      .split('\n')
      .find((line) => line.endsWith(` ${ref}`))
      ?.split(' ')[0] ?? ''
  )
}

function entriesOf(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []
}

function filesBelow(folder: string): string[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

const namesIn = (folder: string): string[] => entriesOf(folder).map(({ name }) => name)

async function wrongRemains({ platform, rows }: World): Promise<string[]> {
  const { home } = platform
  const unended = await rows.query<{ id: string }>(`select id from instances where status <> 'ended'`)
  const instanceIds = new Set(unended.map(({ id }) => id))
  const { pid, programs } = await askLifecycle(home)
  const expected = {
    supervisor: pid,
    programs: new Map(programs.flatMap((program) => (program.pid ? [[program.name, program.pid] as const] : []))),
    instanceIds,
  }
  const places: [string, (name: string) => string][] = [
    ['run/instances', (name) => name],
    ['state/instances', (name) => basename(name, '.json')],
    ['state/fifos', (name) => name],
  ]
  const [kept] = await rows.query<{ artifacts: string[] | null; layers: string[] | null }>(
    `select (select array_agg(location) from artifacts where removed_at is null) as artifacts,
       (select array_agg(path) from layers) as layers`,
  )
  const folders = new Set([...(kept?.artifacts ?? []), ...(kept?.layers ?? [])])
  return [
    ...strayProcesses(home, expected),
    ...places.flatMap(([folder, idOf]) =>
      namesIn(join(home, folder)).flatMap((name) =>
        name.startsWith('.ready-') || instanceIds.has(idOf(name)) ? [] : [`${folder}/${name}`],
      ),
    ),
    ...[...instanceIds].flatMap((id) =>
      existsSync(join(home, 'run/instances', id)) ? [] : [`no run/instances/${id}`],
    ),
    ...namesIn(join(home, 'builds')).map((name) => `builds/${name}`),
    ...namesIn(join(home, 'state/trash')).map((name) => `state/trash/${name}`),
    ...['artifacts', 'layers'].flatMap((kind) =>
      entriesOf(join(home, kind)).flatMap((app) =>
        namesIn(join(home, kind, app.name)).flatMap((name) => {
          const path = join(home, kind, app.name, name)
          return name === 'cache' || folders.has(path) ? [] : [`${kind}/${app.name}/${name}`]
        }),
      ),
    ),
  ]
}
