import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { systemScope } from '../../src/access/index.ts'
import type { SourceTree, TreeEntry } from '../../src/builders/builder.ts'
import { builders } from '../../src/builders/registry.ts'
import {
  type ArtifactUse,
  type BuildLimits,
  type BuildOutput,
  type BuildRequest,
  type Builds,
  type CommittedSource,
  createBuilds,
  defaultBuildLimits,
  defaultRetention,
  type FolderOwner,
  type PlatformNode,
  singleUserFolders,
} from '../../src/builds/index.ts'
import { createLocalEngine } from '../../src/engines/local/local-engine.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { noFailpoints } from '../../src/kernel/failpoint.ts'
import { type AppId, createIds, type EnvironmentId, type RepositoryId, type TeamId } from '../../src/kernel/ids.ts'
import { silentLogger } from '../../src/kernel/logger.ts'
import { appUid, otherUid, type TestSupervisor } from '../../src/supervisor/test-supervisor.fixture.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'
import { createProcessEngine, type ProcessEngine } from './process-engine.ts'

/** Files by path; a value that begins with `-> ` is a symbolic link. */
export type Files = Readonly<Record<string, string>>

export function sourceTree(files: Files): SourceTree {
  return {
    async list(folder) {
      const prefix = folder === '' ? '' : `${folder}/`
      const found = new Map<string, TreeEntry>()
      for (const [path, content] of Object.entries(files)) {
        if (!path.startsWith(prefix)) continue
        const [name = '', ...rest] = path.slice(prefix.length).split('/')
        const below = Object.entries(files).filter(([other]) => other.startsWith(`${prefix}${name}/`))
        if (rest.length > 0) found.set(name, { name, type: 'folder', oid: hash(below) })
        else found.set(name, { name, type: content.startsWith('-> ') ? 'link' : 'file', oid: hash(content) })
      }
      return [...found.values()]
    },
    async read(path) {
      const content = files[path]
      return content?.startsWith('-> ') ? undefined : content
    },
  }
}

function hash(value: unknown): string {
  return createHash('sha1').update(JSON.stringify(value)).digest('hex')
}

/** Repositories in memory: what stands at a commit. */
export function memorySource(commits: Map<string, Files>): CommittedSource {
  const at = (commit: string) => commits.get(commit) ?? {}
  return {
    treeId: async (_repository, commit) => hash(at(commit)),
    tree: (_repository, commit) => sourceTree(at(commit)),
    async exportTree(_repository, treeId, folder) {
      const files = [...commits.values()].find((candidate) => hash(candidate) === treeId) ?? {}
      await mkdir(folder)
      for (const [path, content] of Object.entries(files)) {
        const file = join(folder, path)
        await mkdir(dirname(file), { recursive: true })
        if (content.startsWith('-> ')) await symlink(content.slice(3), file)
        else await writeFile(file, content)
      }
      return { sizeBytes: Object.values(files).reduce((sum, content) => sum + content.length, 0) }
    },
  }
}

export interface TestBuilds {
  readonly builds: Builds
  readonly engine: ProcessEngine
  readonly test: TestDatabase
  readonly home: string
  readonly appId: AppId
  readonly environmentId: EnvironmentId
  readonly scope: ReturnType<typeof systemScope>
  readonly uses: ArtifactUse[]
  readonly retentions: string[]
  /** A new build of these files, with its log lines. */
  request(files: Files, options?: { buildConfig?: Record<string, string> }): Promise<BuildRequest & { lines: string[] }>
  /** Rooms anew over the same database, home and engine: what a restart of the control plane leaves. */
  restart(): Builds
  close(): Promise<void>
}

export interface TestBuildsOptions {
  /** A real supervisor and its engine, in place of processes of this test's own. */
  readonly supervisor?: TestSupervisor
  readonly limits?: Partial<BuildLimits>
  readonly graceMs?: number
  readonly failedBuilds?: number
}

/** The room over a real database, real folders, real processes and a real npm. */
export async function createTestBuilds(options: TestBuildsOptions = {}): Promise<TestBuilds> {
  const test = await createTestDatabase()
  const { supervisor } = options
  const home = supervisor?.home ?? (await makeHome())
  const newId = createIds(Date.now, (size) => crypto.getRandomValues(new Uint8Array(size)))
  const processes = createProcessEngine()
  const engine = supervisor ? createLocalEngine({ client: supervisor.client, clock: systemClock }) : processes
  const commits = new Map<string, Files>()
  const uses: ArtifactUse[] = []
  const retentions: string[] = []
  const ids = {
    team: newId('team'),
    app: newId('app'),
    environment: newId('environment'),
    repository: newId('repository'),
  }
  await insertApp(test, ids)
  const scope = systemScope(ids.team)
  const make = () =>
    createBuilds({
      db: test.db,
      engine,
      source: memorySource(commits),
      folders: supervisor ? foldersOver(supervisor) : singleUserFolders,
      output: supervisor ? outputOf(supervisor) : outputIn(processes.lines),
      builders,
      work: { enqueue: async (_db, _kind, subject) => void retentions.push(subject) },
      clock: systemClock,
      newId,
      log: silentLogger,
      home,
      platform: `${process.platform}-${process.arch}`,
      node: testNode(),
      machine: { env: registryEnv(), npmrc: '' },
      publishedVersions: async () => ['22.19.0', '22.20.0', '24.0.0'],
      uses: async () => uses,
      failpoint: noFailpoints,
      limits: { ...defaultBuildLimits, ...options.limits },
      retention: {
        ...defaultRetention,
        graceMs: options.graceMs ?? defaultRetention.graceMs,
        failedBuilds: options.failedBuilds ?? 3,
      },
    })
  const builds = make()
  return {
    builds,
    engine: processes,
    test,
    home,
    appId: ids.app,
    environmentId: ids.environment,
    scope,
    uses,
    retentions,
    restart: make,
    async request(files, { buildConfig = {} } = {}) {
      const commitSha = hash([files, newId('build')])
      commits.set(commitSha, files)
      const id = await builds.create(test.db, scope, { appId: ids.app, environmentId: ids.environment, commitSha })
      const lines: string[] = []
      return {
        build: { id, teamId: ids.team, appId: ids.app, environmentId: ids.environment, commitSha },
        app: { id: ids.app, repositoryId: ids.repository, root: '', runUid: appUid, buildUid: otherUid },
        buildConfig,
        log: (line) => void lines.push(line),
        fence: 1,
        lines,
      }
    },
    async close() {
      await test.close()
      if (!supervisor) await rm(home, { recursive: true, force: true })
    },
  }
}

async function makeHome(): Promise<string> {
  const home = await realpath(await mkdtemp(join(tmpdir(), 'gantry-test-builds-')))
  for (const folder of ['builds', 'artifacts', 'layers']) await mkdir(join(home, folder))
  return home
}

function foldersOver({ client }: TestSupervisor): FolderOwner {
  return {
    give: async (path, owner) => void (await client.call('give', { path, ...owner })),
    seal: async (path, gid) => void (await client.call('seal', { path, gid })),
    remove: async (path) => void (await client.call('remove', { path })),
  }
}

function outputIn(lines: Map<string, string[]>): BuildOutput {
  return {
    flush: async () => undefined,
    last: async (stream, count) => (lines.get(stream) ?? []).slice(-count).map((message) => ({ message })),
    remove: async (stream) => void lines.delete(stream),
  }
}

function outputOf(supervisor: TestSupervisor): BuildOutput {
  return {
    flush: async () => undefined,
    last: async (stream, count) =>
      supervisor
        .lines(stream)
        .slice(-count)
        .map(({ text }) => ({ message: text })),
    remove: async (stream) => void (await supervisor.client.call('removeStream', { stream })),
  }
}

/** This very Node.js, with the npm that Gantry depends on. */
function testNode(): PlatformNode {
  const npm = createRequire(import.meta.url).resolve('npm/package.json')
  const { version } = createRequire(import.meta.url)('npm/package.json') as { version: string }
  return {
    version: process.versions.node,
    npmVersion: version,
    binFolder: dirname(process.execPath),
    npmBinFolder: join(dirname(npm), 'bin'),
  }
}

/** What this machine needs to reach the registry. */
function registryEnv(): Record<string, string> {
  const names = [
    'NODE_EXTRA_CA_CERTS',
    'HTTPS_PROXY',
    'HTTP_PROXY',
    'NO_PROXY',
    'https_proxy',
    'http_proxy',
    'no_proxy',
  ]
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

async function insertApp(
  { db }: TestDatabase,
  ids: { team: TeamId; app: AppId; environment: EnvironmentId; repository: RepositoryId },
): Promise<void> {
  await db.query(`insert into teams (id, name, created_at) values ($1, $1, now())`, [ids.team])
  await db.query(`insert into repositories (id, team_id, created_at) values ($1, $2, now())`, [
    ids.repository,
    ids.team,
  ])
  await db.query(
    `insert into apps (id, team_id, repository_id, name, created_at, updated_at) values ($1, $2, $3, 'shop', now(), now())`,
    [ids.app, ids.team, ids.repository],
  )
  await db.query(
    `insert into environments (id, team_id, app_id, name, created_at, updated_at) values ($1, $2, $3, 'production', now(), now())`,
    [ids.environment, ids.team, ids.app],
  )
}
